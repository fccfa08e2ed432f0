// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  actorOf,
  busOf,
  type FaultAction,
  faultText,
  needsOwnProcess,
  readingEffect,
  signalOf,
} from '../../../runner/topology/faults.ts';

const camera = { kind: 'client', name: 'camera' } as const;
const master = { kind: 'master', bus: 'cabin' } as const;
const onCabin = () => 'cabin';

describe('a fault', () => {
  const faults: readonly (readonly [FaultAction, string])[] = [
    [{ fault: 'kill', target: camera }, 'kill camera'],
    [{ fault: 'stop', target: master }, 'stop cabin.master'],
    [{ fault: 'kill', target: camera, memory: 8 * 1024 * 1024 }, 'limit camera memory 8MiB'],
    [{ fault: 'leave', bus: 'cabin' }, 'leave cabin.master'],
    [{ fault: 'eavesdrop', client: 'camera', on: false }, 'eavesdrop camera on false'],
    [
      { fault: 'add-address', client: 'camera', address: '0002/000000000001' },
      'add-address camera 0002/000000000001',
    ],
    [{ fault: 'add-match', client: 'camera', rule: "member='A'" }, "add-match camera rule member='A'"],
    [{ fault: 'read', client: 'camera', count: 3 }, 'read camera count 3'],
    [{ fault: 'limit', client: 'camera', fds: 'unlimited' }, 'limit camera fds unlimited'],
  ];
  for (const [action, text] of faults)
    it(`reads as in a file: ${text}`, () => assert.equal(faultText(action), text));

  it('is carried out by a party that runs, or by nobody that a pause could stop', () => {
    assert.deepEqual(actorOf({ fault: 'expel', client: 'camera' }, onCabin), master);
    assert.deepEqual(actorOf({ fault: 'stop-reading', client: 'camera' }, onCabin), camera);
    assert.deepEqual(actorOf({ fault: 'stop', target: camera }, onCabin), camera);
    assert.equal(actorOf({ fault: 'kill', target: camera }, onCabin), undefined);
    assert.equal(actorOf({ fault: 'start', client: 'camera.2' }, onCabin), undefined);
  });

  it('is about one bus', () => {
    assert.equal(busOf({ fault: 'pause', target: camera }, onCabin), 'cabin');
    assert.equal(busOf({ fault: 'leave', bus: 'deck' }, onCabin), 'deck');
  });

  it('may need a process that nobody shares', () => {
    assert.ok(needsOwnProcess({ fault: 'pause', target: camera }));
    assert.ok(needsOwnProcess({ fault: 'limit', client: 'camera', fds: 3 }));
    assert.ok(!needsOwnProcess({ fault: 'expel', client: 'camera' }));
  });

  it('may change who reads', () => {
    assert.equal(readingEffect({ fault: 'read', client: 'camera', count: 'all' }), 'reads on');
    assert.equal(readingEffect({ fault: 'read', client: 'camera', count: 1 }), 'reads some');
    assert.equal(readingEffect({ fault: 'expel', client: 'camera' }), undefined);
  });

  it('may be a signal', () => {
    assert.equal(signalOf({ fault: 'resume', target: master }), 'SIGCONT');
    assert.equal(signalOf({ fault: 'join', client: 'camera' }), undefined);
  });
});
