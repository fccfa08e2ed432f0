// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  acceptedLane,
  busOfMaster,
  defaultRoute,
  masterOf,
  parseLane,
  partyOf,
  senderLane,
} from '../../../runner/topology/lane.ts';

describe('names of parties and sockets', () => {
  it('are taken apart as they were made', () => {
    assert.deepEqual(parseLane('camera.2'), { agent: 'camera.2', client: 'camera.2', accepted: false });
    assert.deepEqual(parseLane(acceptedLane('cabin', 'camera.2')), {
      agent: 'cabin.master',
      client: 'camera.2',
      accepted: true,
    });
    assert.equal(busOfMaster(masterOf('cabin')), 'cabin');
  });

  it('tell a master from a client that was started again', () => {
    assert.equal(busOfMaster('camera.2'), undefined);
    assert.equal(busOfMaster('cabin'), undefined);
    assert.equal(busOfMaster('a.b.master'), undefined);
  });

  it('say which socket a party sends through, and where its default route ends', () => {
    const client = { kind: 'client', name: 'camera' } as const;
    const master = { kind: 'master', bus: 'cabin', via: 'lidar' } as const;
    assert.deepEqual([client, master].map(partyOf), ['camera', 'cabin.master']);
    assert.deepEqual([client, master].map(senderLane), ['camera', 'cabin.master@lidar']);
    assert.equal(defaultRoute(client, 'cabin'), 'cabin.master@camera');
    assert.equal(defaultRoute(master, 'cabin'), 'cabin.master@lidar');
  });
});
