// SPDX-License-Identifier: MIT
// What the bus holds for its clients, how much of it and for how long: replies to come, messages for services, descriptors.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { withinKernel } from '../../../daemon/bus/kernel-limits.ts';
import type { DriverOptions } from '../../../daemon/driver/driver.ts';
import { DriverError } from '../../../daemon/driver/error.ts';
import { DEFAULT_LIMITS } from '../../../daemon/driver/limits.ts';
import type { Peer } from '../../../daemon/driver/peer.ts';
import { DRIVER } from '../../../runner/dbus/index.ts';
import { inWords, Scene, type SceneOptions, string, uint32 } from './scene.ts';

const NAME = 'org.example.Player';
const CALL = { path: '/', interface: 'a.B', member: 'M' } as const;

describe('the bus', () => {
  it('answers a call for its callee when reply_timeout is over, and keeps a timer no longer than the call', () => {
    const running = new Set<string[]>();
    const later: DriverOptions['later'] = (what, delay) => {
      const timer = [`after ${delay}`, ...inWords(what())];
      running.add(timer);
      return () => running.delete(timer);
    };
    const scene = new Scene({ limits: { reply_timeout: 50 }, later });
    const [a, b] = [scene.join(), scene.join()];
    const call = scene.incoming({ ...CALL, destination: b.name });
    const { serial: replySerial } = call.header;
    const reply = scene.incoming({ type: 'method_return', replySerial, destination: a.name });
    scene.driver.route(a, call.header);
    const NO_REPLY = ':0.1 < !NoReply "Message did not receive a reply (timeout by message bus)"';
    assert.deepEqual([...running], [['after 50', NO_REPLY]]);
    scene.driver.route(b, reply.header);
    assert.deepEqual([...running], []);
    // The client may use a serial again, even if its call still waits.
    scene.driver.route(a, call.header);
    scene.driver.route(a, call.header);
    assert.equal(running.size, 1);
    scene.driver.leave(a);
    assert.equal(running.size, 0);
  });

  it('has no timer for replies unless it is told', () => {
    const scene = new Scene({ later: () => assert.fail('a timer') });
    const [a, b] = [scene.join(), scene.join()];
    assert.equal(scene.driver.route(a, scene.incoming({ ...CALL, destination: b.name }).header), b);
  });

  it('closes the descriptors of messages that end at the bus, and no others', () => {
    const scene = new Scene();
    const [a, b] = [scene.join(), scene.join()];
    const ends = (message: Parameters<Scene['incoming']>[0], from: Peer = a): string | undefined =>
      inWords(scene.driver.handle(from, scene.incoming(message, ['fd']))).at(-1);
    assert.equal(ends({ ...CALL, destination: DRIVER }), 'discard fd');
    assert.equal(ends({ path: '/', member: 'GetId', destination: DRIVER }), 'discard fd');
    assert.equal(ends({ ...CALL, destination: 'org.example.Nobody' }), 'discard fd');
    assert.equal(ends({ ...CALL, type: 'signal', destination: DRIVER }), 'discard fd');
    assert.equal(ends({ ...CALL, destination: b.name }, scene.connect()), 'discard fd');
    assert.equal(ends({ ...CALL, destination: b.name }), ':0.1 > :0.2 M');
    assert.equal(ends({ ...CALL, type: 'signal' }), ':0.1 > all M');
  });
});

it('limits are those of the kernel where it has less', () => {
  const read = (name: string): number => (name === 'max_rules' ? 10 : 512);
  const { max_match_rules_per_connection, max_names_per_connection } = withinKernel(
    { ...DEFAULT_LIMITS, max_names_per_connection: 50_000 },
    read,
  );
  assert.deepEqual([max_match_rules_per_connection, max_names_per_connection], [10, 513]);
});

describe('a message for a service', () => {
  function starting(limits: SceneOptions['limits']) {
    const scene = new Scene(limits && { limits });
    scene.driver.activation.setServices([{ name: NAME, exec: ['/bin/player'] }]);
    const send = (peer: Peer, fds: readonly string[] = []): string[] =>
      inWords(scene.driver.handle(peer, scene.incoming({ ...CALL, destination: NAME }, fds)));
    return { scene, send };
  }

  it('counts while it waits', () => {
    const { scene, send } = starting({ max_pending_service_starts: 2 });
    const a = scene.join();
    assert.deepEqual(send(a), [`start ${NAME} in 25000`]);
    assert.deepEqual(send(a), []);
    assert.match(send(a)[0] as string, /!LimitsExceeded/);
    scene.call(a, 'RequestName', [string(NAME), uint32(0)]);
    assert.deepEqual(send(a), [':0.1 > :0.1 M']);
  });

  it('is bounded by bytes and descriptors for each sender', () => {
    const { scene, send } = starting({ max_incoming_bytes: 300, max_incoming_unix_fds: 2 });
    const [a, b] = [scene.join(), scene.join()];
    assert.deepEqual(send(a, ['one', 'two']), [`start ${NAME} in 25000`]);
    assert.match(send(a, ['three']).join(), /!LimitsExceeded.*discard three$/);
    assert.deepEqual(send(a), []);
    assert.match(send(a).concat(send(a)).join(), /!LimitsExceeded.*max_incoming_bytes=300/);
    assert.deepEqual(send(b, ['four']), []);
  });

  it('that wants no reply gets no error either', () => {
    const { scene } = starting({});
    const a = scene.join();
    scene.handle(a, { ...CALL, destination: NAME, flags: 1 });
    assert.deepEqual(inWords(scene.driver.activation.failed(NAME, new DriverError('TimedOut', 'late'))), []);
  });

  it('waits no longer than its sender stays', () => {
    const { scene, send } = starting({ max_pending_service_starts: 2 });
    const [a, b, c] = [scene.join(), scene.join(), scene.join()];
    send(a, ['one']);
    send(b, ['two']);
    assert.equal(inWords(scene.driver.leave(b))[0], 'discard two');
    assert.deepEqual(send(c), []);
    assert.deepEqual(inWords(scene.driver.activation.failed(NAME, new DriverError('TimedOut', 'late'))), [
      ':0.1 < !TimedOut "late"',
      'discard one',
      ':0.3 < !TimedOut "late"',
    ]);
  });
});
