// SPDX-License-Identifier: MIT
// The driver of the message bus: what it answers, what it wants done, and in which order.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Peer } from '../../../daemon/driver/peer.ts';
import { onlyFor } from '../../../daemon/driver/policy.ts';
import type { Header } from '../../../runner/dbus/index.ts';
import { inWords, Scene, string, uint32 } from './scene.ts';

const NAME = 'org.example.Player';
const ALLOW = 1;
const REPLACE = 2;
const DO_NOT_QUEUE = 4;

/** RequestName with flags. */
const ask = (flags: number, name = NAME) => [string(name), uint32(flags)];

describe('the bus driver', () => {
  it('answers Hello first, then tells the others, then the newcomer', () => {
    const scene = new Scene();
    const a = scene.connect();
    assert.deepEqual(scene.call(a, 'Hello'), [
      'join :0.1',
      ':0.1 < return ":0.1"',
      'all < NameOwnerChanged ":0.1" "" ":0.1"',
      ':0.1 < NameAcquired ":0.1"',
    ]);
    assert.deepEqual(scene.call(a, 'Hello'), [':0.1 < !Failed "Already handled an Hello message"']);
  });

  it('answers no call that wants no reply, at once or later', () => {
    const scene = new Scene();
    const quiet = { flags: 1 };
    const a = scene.connect();
    assert.deepEqual(scene.call(a, 'Hello', [], quiet), [
      'join :0.1',
      'all < NameOwnerChanged ":0.1" "" ":0.1"',
      ':0.1 < NameAcquired ":0.1"',
    ]);
    assert.deepEqual(scene.call(a, 'GetId', [], quiet), []);
    scene.driver.activation.setServices([{ name: NAME, exec: ['/bin/player'] }]);
    scene.call(a, 'StartServiceByName', ask(0), quiet);
    assert.deepEqual(scene.call(a, 'RequestName', ask(0)), [
      `own ${NAME}: - -> :0.1`,
      `all < NameOwnerChanged "${NAME}" "" ":0.1"`,
      `:0.1 < NameAcquired "${NAME}"`,
      ':0.1 < return 1',
    ]);
  });

  it('wants Hello before all else', () => {
    const scene = new Scene();
    const a = scene.connect();
    assert.deepEqual(scene.call(a, 'GetId'), [
      ':0.1 < !AccessDenied "Client tried to send a message other than Hello without being registered"',
    ]);
    const hello = 'disconnect :0.1: it must say Hello first';
    assert.deepEqual(scene.handle(a, { type: 'signal', path: '/', interface: 'a.b', member: 'C' }), [hello]);
    assert.deepEqual(scene.handle(a, { path: '/', member: 'C', destination: ':0.2' }), [hello]);
  });

  it('says who owns a name, who waits for it and who had it', () => {
    const scene = new Scene();
    const [a, b, c] = [scene.join(), scene.join(), scene.join()];
    assert.deepEqual(scene.call(a, 'RequestName', ask(0)), [
      `own ${NAME}: - -> :0.1`,
      `all < NameOwnerChanged "${NAME}" "" ":0.1"`,
      `:0.1 < NameAcquired "${NAME}"`,
      ':0.1 < return 1',
    ]);
    assert.deepEqual(scene.call(a, 'RequestName', ask(ALLOW)), [':0.1 < return 4']);
    assert.deepEqual(scene.call(b, 'RequestName', ask(0)), [':0.2 < return 2']);
    assert.deepEqual(scene.call(c, 'RequestName', ask(DO_NOT_QUEUE)), [':0.3 < return 3']);
    assert.deepEqual(scene.call(c, 'ListQueuedOwners', [string(NAME)]), [':0.3 < return [":0.1",":0.2"]']);
    assert.deepEqual(scene.call(c, 'RequestName', ask(REPLACE)), [
      `own ${NAME}: :0.1 -> :0.3`,
      `:0.1 < NameLost "${NAME}"`,
      `all < NameOwnerChanged "${NAME}" ":0.1" ":0.3"`,
      `:0.3 < NameAcquired "${NAME}"`,
      ':0.3 < return 1',
    ]);
    assert.deepEqual(scene.call(c, 'ListQueuedOwners', [string(NAME)]), [
      ':0.3 < return [":0.3",":0.1",":0.2"]',
    ]);
    assert.deepEqual(scene.call(c, 'ReleaseName', [string(NAME)]), [
      `own ${NAME}: :0.3 -> :0.1`,
      `:0.3 < NameLost "${NAME}"`,
      `all < NameOwnerChanged "${NAME}" ":0.3" ":0.1"`,
      `:0.1 < NameAcquired "${NAME}"`,
      ':0.3 < return 1',
    ]);
    assert.deepEqual(scene.call(c, 'ReleaseName', [string(NAME)]), [':0.3 < return 3']);
    assert.deepEqual(scene.call(c, 'ReleaseName', [string('org.example.Nobody')]), [':0.3 < return 2']);
    assert.deepEqual(scene.call(b, 'ReleaseName', [string(NAME)]), [':0.2 < return 1']);
    assert.deepEqual(scene.call(c, 'GetNameOwner', [string(NAME)]), [':0.3 < return ":0.1"']);
  });

  it('drops an owner that is replaced and does not want to wait', () => {
    const scene = new Scene();
    const [a, b] = [scene.join(), scene.join()];
    scene.call(a, 'RequestName', ask(ALLOW | DO_NOT_QUEUE));
    scene.call(b, 'RequestName', ask(REPLACE));
    assert.deepEqual(scene.call(b, 'ListQueuedOwners', [string(NAME)]), [':0.2 < return [":0.2"]']);
    assert.deepEqual([...a.claims], []);
  });

  it('queues a client that may replace the owner right after it', () => {
    const scene = new Scene();
    const [a, b, c] = [scene.join(), scene.join(), scene.join()];
    scene.call(a, 'RequestName', ask(0));
    scene.call(b, 'RequestName', ask(0));
    assert.deepEqual(scene.call(c, 'RequestName', ask(REPLACE)), [':0.3 < return 2']);
    assert.deepEqual(scene.call(a, 'ListQueuedOwners', [string(NAME)]), [
      ':0.1 < return [":0.1",":0.3",":0.2"]',
    ]);
    assert.deepEqual(scene.call(b, 'RequestName', ask(DO_NOT_QUEUE)), [':0.2 < return 3']);
    assert.deepEqual(scene.call(a, 'ListQueuedOwners', [string(NAME)]), [':0.1 < return [":0.1",":0.3"]']);
  });

  it('passes on the names of a client that leaves, the last one first', () => {
    const scene = new Scene();
    const [a, b] = [scene.join(), scene.join()];
    for (const name of ['org.m', 'org.z', 'org.a']) scene.call(a, 'RequestName', ask(0, name));
    scene.call(b, 'RequestName', ask(0, 'org.z'));
    assert.deepEqual(inWords(scene.driver.leave(a)), [
      'own org.a: :0.1 -> -',
      'all < NameOwnerChanged "org.a" ":0.1" ""',
      'own org.z: :0.1 -> :0.2',
      'all < NameOwnerChanged "org.z" ":0.1" ":0.2"',
      ':0.2 < NameAcquired "org.z"',
      'own org.m: :0.1 -> -',
      'all < NameOwnerChanged "org.m" ":0.1" ""',
      'all < NameOwnerChanged ":0.1" ":0.1" ""',
    ]);
    assert.deepEqual(scene.call(b, 'ListNames'), [':0.2 < return ["org.freedesktop.DBus",":0.2","org.z"]']);
  });

  it('refuses names that no client may own', () => {
    const scene = new Scene();
    const a = scene.join();
    for (const name of ['nodot', '', ':1.5', 'org.freedesktop.DBus', 'a.1b', `a.${'b'.repeat(254)}`])
      assert.match(scene.call(a, 'RequestName', ask(0, name))[0] as string, /!InvalidArgs/, name);
    for (const name of ['nodot', ':1.5', 'org.freedesktop.DBus'])
      assert.match(scene.call(a, 'ReleaseName', [string(name)])[0] as string, /!InvalidArgs/, name);
    assert.deepEqual(scene.call(a, 'RequestName', ask(0x80000018)), [
      `own ${NAME}: - -> :0.1`,
      `all < NameOwnerChanged "${NAME}" "" ":0.1"`,
      `:0.1 < NameAcquired "${NAME}"`,
      ':0.1 < return 1',
    ]);
  });

  it('adds the same rule several times, and removes one of them', () => {
    const scene = new Scene();
    const a = scene.join();
    const rule = "type='signal',member='X'";
    assert.deepEqual(scene.call(a, 'AddMatch', [string(rule)]), [`add-match :0.1 ${rule}`, ':0.1 < return']);
    scene.call(a, 'AddMatch', [string(rule)]);
    const same = 'member=X, type=signal';
    assert.deepEqual(scene.call(a, 'RemoveMatch', [string(same)]), [
      `remove-match :0.1 ${same}`,
      ':0.1 < return',
    ]);
    scene.call(a, 'RemoveMatch', [string(same)]);
    assert.match(scene.call(a, 'RemoveMatch', [string(same)])[0] as string, /!MatchRuleNotFound/);
    assert.match(scene.call(a, 'AddMatch', [string('nonsense')])[0] as string, /!MatchRuleInvalid/);
    assert.match(
      scene.call(a, 'AddMatch', [string('x'.repeat(1025))])[0] as string,
      /!LimitsExceeded .*1025 bytes/,
    );
  });

  it('lets a client eavesdrop while one of its rules says so', () => {
    const scene = new Scene();
    const a = scene.join();
    const rule = [string("eavesdrop='true'")];
    assert.deepEqual(scene.call(a, 'AddMatch', rule), [
      "add-match :0.1 eavesdrop='true'",
      ':0.1 eavesdrops: true',
      ':0.1 < return',
    ]);
    assert.equal(scene.call(a, 'AddMatch', rule).length, 2);
    assert.equal(scene.call(a, 'RemoveMatch', rule).length, 2);
    assert.deepEqual(scene.call(a, 'RemoveMatch', rule).slice(1), [
      ':0.1 eavesdrops: false',
      ':0.1 < return',
    ]);
  });

  it('keeps its limits', () => {
    const scene = new Scene({
      limits: {
        max_match_rules_per_connection: 1,
        max_names_per_connection: 2,
        max_connections_per_user: 2,
        max_replies_per_connection: 1,
      },
    });
    const [a, b] = [scene.join(), scene.join()];
    scene.call(a, 'AddMatch', [string('')]);
    assert.match(
      scene.call(a, 'AddMatch', [string('')])[0] as string,
      /!LimitsExceeded .*max_match_rules_per_connection=1/,
    );
    scene.call(a, 'RequestName', ask(0));
    assert.match(
      scene.call(a, 'RequestName', ask(0, 'org.b'))[0] as string,
      /!LimitsExceeded .*max_names_per_connection=2/,
    );
    assert.match(scene.call(scene.connect(), 'Hello')[0] as string, /!LimitsExceeded .*UID 1000/);
    const call = { path: '/', member: 'X', destination: b.name };
    assert.deepEqual(scene.handle(a, call), [':0.1 > :0.2 X']);
    assert.match(scene.handle(a, call)[0] as string, /!LimitsExceeded .*pending replies/);
  });

  it('knows its methods by interface, path and arguments', () => {
    const scene = new Scene();
    const a = scene.join();
    assert.deepEqual(scene.call(a, 'NoSuch'), [
      ':0.1 < !UnknownMethod "org.freedesktop.DBus does not understand message NoSuch"',
    ]);
    assert.match(scene.call(a, 'GetId', [], { interface: 'a.b' })[0] as string, /!UnknownInterface/);
    assert.deepEqual(scene.call(a, 'GetId', [], { path: '/foo' }), [':0.1 < return "id"']);
    assert.deepEqual(scene.call(a, 'GetId', [string('x')]), [
      ':0.1 < !InvalidArgs "Call to GetId has wrong args (s, expected )\\n"',
    ]);
    const properties = { interface: 'org.freedesktop.DBus.Properties' };
    assert.match(
      scene.call(a, 'GetAll', [string('org.freedesktop.DBus')], properties)[0] as string,
      /HeaderFiltering/,
    );
    assert.match(
      scene.call(a, 'GetAll', [string('org.freedesktop.DBus')], { ...properties, path: '/foo' })[0] as string,
      /!UnknownInterface/,
    );
    assert.match(
      scene.call(a, 'Get', [string('a.b'), string('X')], properties)[0] as string,
      /!UnknownInterface/,
    );
    assert.match(
      scene.call(a, 'Get', [string('org.freedesktop.DBus'), string('X')], properties)[0] as string,
      /!UnknownProperty/,
    );
    const ping = { member: 'Ping', path: '/x', interface: 'org.freedesktop.DBus.Peer' };
    assert.deepEqual(scene.handle(a, ping), [':0.1 < return']);
    const environment = [{ type: 'a{ss}', value: { A: 'b' } }];
    assert.deepEqual(scene.call(a, 'UpdateActivationEnvironment', environment), [
      'environment {"A":"b"}',
      ':0.1 < return',
    ]);
    assert.match(
      scene.call(a, 'UpdateActivationEnvironment', environment, { path: '/foo' })[0] as string,
      /!AccessDenied .*canonical object path/,
    );
  });

  it('says what is wrong with a destination', () => {
    const scene = new Scene();
    const a = scene.join();
    const call = { path: '/', member: 'X', destination: NAME };
    assert.deepEqual(scene.handle(a, call), [
      `:0.1 < !ServiceUnknown "The name ${NAME} was not provided by any .service files"`,
    ]);
    assert.deepEqual(scene.handle(a, { ...call, flags: 2 }), [
      `:0.1 < !NameHasNoOwner "Name \\"${NAME}\\" does not exist"`,
    ]);
    const deaf = scene.join({ fds: false });
    assert.match(
      scene.handle(a, { ...call, destination: deaf.name, unixFds: 1 })[0] as string,
      /!NotSupported/,
    );
    assert.deepEqual(scene.handle(a, { type: 'signal', path: '/', interface: 'a.b', member: 'C' }), [
      ':0.1 > all C',
    ]);
  });

  it('routes messages that are not for the driver', () => {
    const scene = new Scene();
    const [a, b] = [scene.join(), scene.join()];
    const route = (message: Parameters<Scene['incoming']>[0]) =>
      scene.driver.route(a, scene.incoming(message).header);
    assert.equal(route({ path: '/', member: 'X', destination: b.name }), b);
    assert.equal(route({ path: '/', member: 'X', destination: NAME }), 'bus');
    assert.equal(route({ path: '/', member: 'X', destination: 'org.freedesktop.DBus' }), 'bus');
    assert.equal(route({ type: 'signal', path: '/', interface: 'a.b', member: 'C' }), 'everyone');
    assert.equal(route({ path: '/', member: 'Ping', interface: 'org.freedesktop.DBus.Peer' }), 'bus');
  });

  it('tells a caller of replies that will not come', () => {
    const scene = new Scene();
    const [a, b] = [scene.join(), scene.join()];
    const first = scene.incoming({ path: '/', member: 'X', destination: b.name });
    const second = scene.incoming({ path: '/', member: 'Y', destination: b.name });
    const quiet = scene.incoming({ path: '/', member: 'Z', destination: b.name, flags: 1 });
    for (const { header } of [first, second, quiet]) scene.driver.route(a, header);
    const reply = scene.incoming({
      type: 'method_return',
      replySerial: first.header.serial,
      destination: a.name,
    });
    assert.equal(scene.driver.route(b, reply.header), a);
    const effects = inWords(scene.driver.leave(b));
    assert.deepEqual(effects, [
      'all < NameOwnerChanged ":0.2" ":0.2" ""',
      ':0.1 < !NoReply "Message recipient disconnected from message bus without replying"',
    ]);
    assert.equal(scene.driver.replies.giveUp(a, second.header.serial), true);
    assert.equal(scene.driver.replies.giveUp(a, first.header.serial), false);
  });

  it('tells a caller that a monitor will not reply', () => {
    const scene = new Scene();
    const [a, b] = [scene.join(), scene.join()];
    scene.driver.route(a, scene.incoming({ path: '/', member: 'X', destination: b.name }).header);
    scene.driver.watch(b, [], 1);
    assert.deepEqual(inWords(scene.driver.leave(b)), [
      ':0.1 < !NoReply "Message recipient disconnected from message bus without replying"',
    ]);
  });

  it('makes a monitor of a client, which loses all that it had and may not send', () => {
    const scene = new Scene();
    const [a, b] = [scene.join(), scene.join()];
    scene.call(a, 'RequestName', ask(0));
    scene.call(a, 'AddMatch', [string('')]);
    const monitor = (rules: string[], flags: number) =>
      scene.call(a, 'BecomeMonitor', [{ type: 'as', value: rules }, uint32(flags)], {
        interface: 'org.freedesktop.DBus.Monitoring',
      });
    assert.match(monitor([], 1)[0] as string, /!InvalidArgs/);
    assert.match(monitor(['nonsense'], 0)[0] as string, /!MatchRuleInvalid/);
    assert.deepEqual(monitor([], 0), [
      'all < NameOwnerChanged ":0.1" ":0.1" ""',
      `own ${NAME}: :0.1 -> -`,
      `all < NameOwnerChanged "${NAME}" ":0.1" ""`,
      'monitor :0.1',
      ':0.1 < return',
      ':0.1 < NameLost ":0.1"',
      `:0.1 < NameLost "${NAME}"`,
    ]);
    assert.deepEqual(scene.call(b, 'ListNames'), [':0.2 < return ["org.freedesktop.DBus",":0.2"]']);
    assert.deepEqual(scene.call(a, 'GetId'), ['disconnect :0.1: a monitor must not send']);
    assert.deepEqual(inWords(scene.driver.leave(a)), []);
  });

  it('allows privileged calls to root and its own user only', () => {
    const scene = new Scene();
    const [other, root] = [scene.join({ uid: 1 }), scene.join({ uid: 0 })];
    assert.match(scene.call(other, 'ReloadConfig')[0] as string, /!AccessDenied/);
    assert.deepEqual(scene.call(root, 'ReloadConfig'), ['reload :0.2']);
  });

  it('restricts clients whom the policy does not let do everything, unless they could change it', () => {
    const scene = new Scene({
      policy: { ...onlyFor(1000), isOpenFor: ({ credentials: { uid } }) => uid === 2 },
    });
    const restricted = (uid: number) => scene.driver.restricts(scene.join({ uid }));
    assert.deepEqual([0, 1000, 1, 2].map(restricted), [false, false, true, false]);
  });

  it('starts services for callers and for messages, once', () => {
    const scene = new Scene();
    const [a, b] = [scene.join(), scene.join()];
    scene.driver.activation.setServices([{ name: NAME, exec: ['/bin/player'] }]);
    assert.deepEqual(scene.call(a, 'ListActivatableNames'), [
      `:0.1 < return ["org.freedesktop.DBus","${NAME}"]`,
    ]);
    assert.deepEqual(scene.call(a, 'StartServiceByName', ask(0)), [`start ${NAME} in 25000`]);
    assert.deepEqual(scene.handle(a, { path: '/', member: 'Play', destination: NAME }), []);
    assert.match(scene.call(a, 'StartServiceByName', ask(0, 'org.b'))[0] as string, /!ServiceUnknown/);
    assert.deepEqual(scene.call(b, 'RequestName', ask(0)).slice(3), [
      ':0.1 < return 1',
      ':0.1 > :0.2 Play',
      ':0.2 < return 1',
    ]);
    assert.deepEqual(scene.call(a, 'StartServiceByName', ask(0)), [':0.1 < return 2']);
  });

  it('starts no service for a message that the policy does not let its sender send', () => {
    const policy = { ...onlyFor(1000), maySend: (_: Peer, { member }: Header) => member !== 'Spy' };
    const scene = new Scene({ policy });
    const a = scene.join();
    scene.driver.activation.setServices([{ name: NAME, exec: ['/bin/player'] }]);
    const say = (member: string) => scene.handle(a, { path: '/', member, destination: NAME });
    assert.match(say('Spy')[0] as string, /^:0.1 < !AccessDenied .*member=.*Spy/);
    assert.deepEqual(say('Play'), [`start ${NAME} in 25000`]);
  });
});
