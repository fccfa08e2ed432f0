// SPDX-License-Identifier: MIT
// The configuration of a message bus: what is read, what is refused and where, and what its policy lets clients do.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { type Config, readConfig } from '../../../daemon/config/config.ts';
import { ConfigError } from '../../../daemon/config/error.ts';
import { ConfiguredPolicy, isOpenForEveryone } from '../../../daemon/config/policy.ts';
import { commandOf, readServices } from '../../../daemon/config/services.ts';
import type { Peer } from '../../../daemon/driver/peer.ts';
import { check, type DbusMessage, type Header, marshal } from '../../../runner/dbus/index.ts';
import { Scene, string, uint32 } from './scene.ts';

const ACCOUNTS = {
  user: (name: string) => ({ root: 0, alice: 1000 })[name],
  group: (name: string) => ({ audio: 29 })[name],
};

describe('the configuration of a message bus', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dbus-config-'));
  });

  after(() => rmSync(folder, { recursive: true }));

  function read(text: string, name = 'bus.conf'): Config {
    const file = join(folder, name);
    writeFileSync(file, text);
    return readConfig(file, {
      accounts: ACCOUNTS,
      env: { HOME: '/home/alice', XDG_RUNTIME_DIR: '/run/user/1000' },
    });
  }

  const inside = (text: string): Config => read(`<busconfig>\n${text}\n</busconfig>`);

  /** The complaint about a configuration, without the folder. */
  function complaint(text: string): string {
    try {
      inside(text);
    } catch (error) {
      if (error instanceof ConfigError) return error.message.replace(`${folder}/`, '');
      throw error;
    }
    return 'none';
  }

  it('has limits, listeners, mechanisms and folders', () => {
    const config = inside(`
      <type>session</type> <keep_umask/> <fork/> <syslog/>
      <listen>unix:path=/a</listen> <listen>unix:abstract=b</listen>
      <auth>EXTERNAL</auth>
      <servicedir>services</servicedir> <servicedir>/srv</servicedir>
      <limit name="max_names_per_connection">7</limit>`);
    assert.equal(config.type, 'session');
    assert.deepEqual(
      config.listen.map(({ address, line }) => [line, address]),
      [
        [4, 'unix:path=/a'],
        [4, 'unix:abstract=b'],
      ],
    );
    assert.deepEqual(config.auth, ['EXTERNAL']);
    assert.deepEqual(config.serviceFolders, [join(folder, 'services'), '/srv']);
    assert.equal(config.limits.max_names_per_connection, 7);
    assert.equal(config.limits.max_match_rules_per_connection, 512);
  });

  it('has the standard folders, the best one first', () =>
    assert.deepEqual(inside('<standard_session_servicedirs/>').serviceFolders, [
      '/run/user/1000/dbus-1/services',
      '/home/alice/.local/share/dbus-1/services',
      '/usr/local/share/dbus-1/services',
      '/usr/share/dbus-1/services',
    ]));

  it('includes files and folders, in order', () => {
    mkdirSync(join(folder, 'more.d'));
    writeFileSync(join(folder, 'more.d/b.conf'), '<busconfig><servicedir>/b</servicedir></busconfig>');
    writeFileSync(join(folder, 'more.d/a.conf'), '<busconfig><servicedir>here</servicedir></busconfig>');
    writeFileSync(join(folder, 'more.d/not.txt'), 'no XML');
    const config = inside(`<includedir>more.d</includedir><includedir>missing.d</includedir>
      <include ignore_missing="yes">missing.conf</include><servicedir>/last</servicedir>`);
    assert.deepEqual(config.serviceFolders, [join(folder, 'more.d/here'), '/b', '/last']);
  });

  const REFUSED: readonly (readonly [text: string, complaint: RegExp])[] = [
    ['<listne>x</listne>', /^bus.conf:2: there is no element <listne> in <busconfig>/],
    ['\n<limit name="max_fun">1</limit>', /^bus.conf:3: there is no limit max_fun/],
    [
      '<limit name="auth_timeout">soon</limit>',
      /auth_timeout is a whole number up to 2147483647, not "soon"/,
    ],
    ['<limit>1</limit>', /<limit> needs the attribute name/],
    ['<auth>DBUS_COOKIE_SHA1</auth>', /does not have the authentication mechanism DBUS_COOKIE_SHA1/],
    ['<include>missing.conf</include>', /^bus.conf:2: cannot read .*missing.conf: ENOENT/],
    ['<includedir>bus.conf</includedir>', /^bus.conf:2: cannot read .*bus.conf: ENOTDIR/],
    ['<include>bus.conf</include>', /bus.conf includes itself/],
    ['<include ignore_missing="maybe">x</include>', /ignore_missing is yes or no, not "maybe"/],
    ['<apparmor mode="required"/>', /cannot enforce rules of AppArmor/],
    ['<policy><allow own="*"/></policy>', /a policy has one of the attributes/],
    ['<policy context="nowhere"/>', /context of a policy is default or mandatory, not "nowhere"/],
    [
      '<policy context="default">\n<permit own="*"/></policy>',
      /^bus.conf:3: there is no element <permit> in <policy>/,
    ],
    ['<policy context="default"><allow/></policy>', /<allow> says nothing/],
    ['<policy context="default"><allow wn="*"/></policy>', /<allow> has no attribute wn/],
    ['<policy context="default"><allow own="a.b" user="*"/></policy>', /one rule has own or user, not both/],
    ['<policy context="default"><deny send_type="x"/></policy>', /a message has type .*, not "x"/],
    ['<policy context="default"><deny send_member="X"/></policy>', /send_member needs send_interface/],
    ['<policy context="default"><deny send_type="signal" receive_type="signal"/></policy>', /not both/],
    ['<policy context="default"><deny send_broadcast="yes"/></policy>', /send_broadcast is true or false/],
    ['<type>', /^bus.conf:3: not well-formed XML/],
  ];
  for (const [text, expected] of REFUSED)
    it(`refuses ${text.trim()}`, () => assert.match(complaint(text), expected));

  it('refuses a file of another kind', () =>
    assert.throws(() => read('<html/>'), /bus.conf:1: the root is <busconfig>, not <html>/));

  it('finds services, the first of each name, and says which files are invalid', () => {
    const [first, second] = [join(folder, 's1'), join(folder, 's2')] as const;
    mkdirSync(first);
    mkdirSync(second);
    const service = (name: string, exec: string) =>
      `# a comment\n[D-BUS Service]\nName=${name}\nExec = ${exec}\n`;
    writeFileSync(join(first, 'a.service'), service('org.example.A', `/bin/a "two words" 'it''s' x\\ y`));
    writeFileSync(join(second, 'a.service'), service('org.example.A', '/bin/other'));
    writeFileSync(join(second, 'b.service'), service('nodot', '/bin/b'));
    writeFileSync(join(second, 'c.service'), service('org.example.C', '/bin/c "open'));
    symlinkSync('nowhere', join(second, 'd.service'));
    const complaints: string[] = [];
    const found = readServices([first, second, join(folder, 'missing')], (text) =>
      complaints.push(text.replace(`${folder}/`, '')),
    );
    assert.deepEqual(found, [{ name: 'org.example.A', exec: ['/bin/a', 'two words', 'its', 'x y'] }]);
    assert.deepEqual(complaints, [
      's2/b.service: Name= is no well-known bus name',
      's2/c.service: Exec= is no command',
      'cannot read s2/d.service: ENOENT',
    ]);
    assert.deepEqual(commandOf('a  "b\\"c" \'\\\''), ['a', 'b"c', '\\']);
  });

  describe('as a policy', () => {
    /** Clients of root, alice and bob under a policy. */
    function scene(policy: string) {
      const made = new Scene();
      const { sections } = inside(policy);
      const configured = new ConfiguredPolicy(sections, made.driver.names, 1);
      const [root, alice, bob] = [0, 1000, 1001].map((uid) => made.join({ uid }));
      made.driver.policy = configured;
      return { scene: made, policy: configured, root: root as Peer, alice: alice as Peer, bob: bob as Peer };
    }

    const header = (message: Partial<DbusMessage>): Header =>
      check(
        marshal(
          {
            type: 'method_call',
            endian: 'little',
            path: '/p',
            member: 'M',
            args: [],
            ...message,
          } as DbusMessage,
          1,
        ),
      );
    const call = (more: Partial<DbusMessage> = {}): Header => header({ interface: 'a.B', ...more });

    it('lets the user of the bus connect, and those that a rule names', () => {
      const {
        scene: made,
        policy,
        root,
        alice,
        bob,
      } = scene(`
        <policy context="default"><allow user="alice"/><deny user="root"/></policy>
        <policy user="bob"><allow user="*"/></policy>`);
      assert.deepEqual(
        [root, alice, bob].map((peer) => policy.mayConnect(peer)),
        [false, true, false],
      );
      assert.equal(policy.mayConnect(made.connect({ uid: 1 })), true);
    });

    it('applies contexts, groups, users and mandatory rules, in that order', () => {
      const { policy, root, alice, bob } = scene(`
        <policy context="mandatory"><deny own="org.no"/></policy>
        <policy user="alice"><allow own="org.own"/><allow own="org.no"/></policy>
        <policy context="default"><deny own="*"/><allow own_prefix="org.pre"/></policy>`);
      const may = (name: string) => [root, alice, bob].map((peer) => policy.mayOwn(peer, name));
      assert.deepEqual(may('org.own'), [false, true, false]);
      assert.deepEqual(may('org.no'), [false, false, false]);
      assert.deepEqual(may('org.pre.Deep'), [true, true, true]);
      assert.deepEqual(may('org.prefix'), [false, false, false]);
    });

    it('is what the last matching rule says of a message', () => {
      const {
        scene: made,
        policy,
        alice,
        bob,
      } = scene(`
        <policy context="default">
          <allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>
          <deny send_destination="org.S" send_interface="a.B"/>
          <allow send_destination="org.S" send_interface="a.B" send_member="Good"/>
        </policy>`);
      made.call(bob, 'RequestName', [string('org.S'), uint32(0)]);
      assert.equal(policy.maySend(alice, call(), bob, false), false);
      assert.equal(policy.maySend(alice, call({ member: 'Good' }), bob, false), true);
      assert.equal(policy.maySend(alice, call({ interface: 'a.C' }), bob, false), true);
      assert.equal(policy.maySend(alice, call(), alice, false), true);
      // Without an interface the call may be meant for it: a denial counts.
      assert.equal(policy.maySend(alice, header({}), bob, false), false);
    });

    it('allows requested replies', () => {
      const { policy, alice, bob } = scene(`
        <policy context="default">
          <deny send_type="method_call"/>
          <allow send_requested_reply="true" send_type="method_return"/>
          <allow receive_type="method_return"/><allow receive_type="signal"/>
        </policy>`);
      const reply = header({ type: 'method_return', replySerial: 3 });
      assert.equal(policy.maySend(alice, reply, bob, true), true);
      assert.equal(policy.maySend(alice, reply, bob, false), false);
      assert.equal(policy.mayReceive(alice, reply, bob, true), true);
      assert.equal(policy.mayReceive(alice, reply, bob, false), false);
      assert.equal(policy.isOpenFor(alice), false);
    });

    it('is open only if nothing about messages is denied', () => {
      const open = '<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>';
      const isOpen = (rules: string) => {
        const { policy, alice } = scene(`<policy context="default">${rules}</policy>`);
        return policy.isOpenFor(alice);
      };
      assert.equal(isOpen(`${open}<allow own="*"/>`), true);
      assert.equal(isOpen(`${open}<deny send_interface="a.B"/>`), false);
      assert.equal(isOpen(''), false);
    });

    it('is open for everyone only if nobody is denied messages', () => {
      const open =
        '<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy>';
      const isOpen = (text: string) => isOpenForEveryone(inside(text).sections);
      assert.equal(isOpen(`${open}<policy user="alice"><deny own="org.no"/></policy>`), true);
      assert.equal(isOpen(`${open}<policy user="alice"><deny send_interface="a.B"/></policy>`), false);
      assert.equal(isOpen(open.replace('context="default"', 'user="alice"')), false);
      assert.equal(isOpen(`${open}<policy group="audio"><allow own="org.no"/></policy>`), false);
      assert.equal(isOpen(open.replace('<allow', '<allow group="audio"/><allow')), false);
      assert.equal(isOpen(''), false);
    });

    it('is asked by the driver', () => {
      const {
        scene: made,
        alice,
        bob,
      } = scene(`
        <policy context="default"><allow send_destination="org.freedesktop.DBus"/><allow receive_sender="*"/></policy>`);
      assert.match(
        made.call(alice, 'RequestName', [string('org.S'), uint32(0)])[0] as string,
        /!AccessDenied .*not allowed to own/,
      );
      assert.match(
        made.handle(alice, { path: '/', member: 'X', destination: bob.name })[0] as string,
        /!AccessDenied .*no rule that allows it/,
      );
      assert.deepEqual(made.call(alice, 'GetId'), [`${alice.name} < return "id"`]);
    });

    it('answers the sender of a waiting message with a refusal, and lets the service have its name', () => {
      const {
        scene: made,
        alice,
        bob,
      } = scene(`
        <policy context="default"><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/>
        <deny receive_interface="a.Secret"/></policy>`);
      made.driver.activation.setServices([{ name: 'org.S', exec: ['/bin/s'] }]);
      const to = { path: '/', destination: 'org.S', interface: 'a.Secret' };
      assert.deepEqual(made.handle(alice, { ...to, member: 'M' }), ['start org.S in 25000']);
      const [refusal, ...rest] = made.call(bob, 'RequestName', [string('org.S'), uint32(0)]).slice(-2);
      assert.match(refusal as string, new RegExp(`^${alice.name} < !AccessDenied `));
      assert.deepEqual(rest, [`${bob.name} < return 1`]);
    });
  });
});
