// SPDX-License-Identifier: MIT
// What a file says of D-Bus, and what it comes to.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { type DbusMessage, marshal, parse } from '../../../runner/dbus/index.ts';
import type { FaultAction } from '../../../runner/topology/faults.ts';
import { bytesOf } from '../../../runner/topology/message.ts';
import type { SendStep, Step } from '../../../runner/topology/topology.ts';
import { plain } from '../../helpers/corpus.ts';
import { complaints, ok } from './helpers.ts';

const file = (traffic: string): string => `
buses: { session: { protocol: dbus } }
clients:
  a: { match: ["type='signal',member=X", "path='/p'"] }
  b: { match: [] }
traffic:
${traffic}`;

const actions = (steps: readonly Step[]): FaultAction[] =>
  steps.flatMap((step) => {
    if (step.kind === 'parallel') return step.branches.flatMap(actions);
    return step.kind === 'fault' ? [step.action] : [];
  });

describe('D-Bus in a file', () => {
  it('is a protocol of a bus, and rules of clients as they are written', () => {
    const { buses, clients } = ok(file('  - a -> b: "x"'));
    assert.equal(buses[0]?.protocol, 'dbus');
    assert.deepEqual(clients[0]?.match, ["type='signal',member=X", "path='/p'"]);
    assert.equal(clients[1]?.match, undefined);
  });

  it('is a message with defaults for all that is not written', () => {
    const { steps } = ok(
      file(`
  - send: { from: a, to: session, payload: { dbus: { path: /p, interface: a.B, member: C } } }
  - send:
      from: a
      to: b
      payload:
        dbus: { type: error, error-name: a.E, reply-serial: 3, destination: ":0.2", args: [x, { path: / }, -1], endian: big }`),
    );
    assert.deepEqual(
      steps.map((step) => step.kind === 'send' && [step.dbus, step.payload, step.size]),
      [
        [
          { type: 'signal', endian: 'little', path: '/p', interface: 'a.B', member: 'C', args: [] },
          undefined,
          undefined,
        ],
        [
          {
            type: 'error',
            endian: 'big',
            errorName: 'a.E',
            replySerial: 3,
            destination: ':0.2',
            args: [
              { type: 's', value: 'x' },
              { type: 'o', value: '/' },
              { type: 'i', value: -1 },
            ],
          },
          undefined,
          undefined,
        ],
      ],
    );
  });

  const body = (message: string, more = ''): string =>
    file(
      `  - send: { from: a, to: b, ${more}payload: { dbus: { path: /p, interface: a.B, member: C, ${message} } } }`,
    );

  /** What a receiver reads of a message's arguments, without the envelope. */
  const readBack = (text: string): unknown => {
    const [step] = ok(text).steps;
    const { args } = parse(bytesOf(step as SendStep, { seed: 1, number: 0, nonce: 7 }));
    return args.slice(0, -1).map(({ type, value }) => [type, plain(value)]);
  };

  const ARGS: readonly (readonly [signature: string, written: string, read: unknown])[] = [
    [
      'ybnqiud',
      '[255, true, -32768, 65535, -2147483648, 4294967295, -0.5]',
      [255, true, -32768, 65535, -2147483648, 4294967295, -0.5],
    ],
    [
      'xt',
      '["-9223372036854775808", "18446744073709551615"]',
      ['-9223372036854775808', '18446744073709551615'],
    ],
    ['xt', '[-5, 5]', ['-5', '5']],
    ['sogh', '["a, b", /a/b, "a{sv}", 1]', ['a, b', '/a/b', 'a{sv}', 1]],
    ['ay', '[{ hex: 00ff }]', ['00ff']],
    ['aay', '[[[0, 255], { hex: "01" }]]', [['00ff', '01']]],
    [
      'as(i(bs))',
      '[[x, y], [7, [true, z]]]',
      [
        ['x', 'y'],
        [7, [true, 'z']],
      ],
    ],
    [
      'a{sv}',
      '[{ Powered: { b: true }, Names: { as: [] }, Deep: { v: { v: { u: 1 } } } }]',
      [
        [
          ['Powered', { type: 'b', value: true }],
          ['Names', { type: 'as', value: [] }],
          ['Deep', { type: 'v', value: { type: 'v', value: { type: 'u', value: 1 } } }],
        ],
      ],
    ],
    [
      'a{ub}a{ts}a{bo}',
      '[{ 1: true }, { "18446744073709551615": x }, { true: / }]',
      [[[1, true]], [['18446744073709551615', 'x']], [[true, '/']]],
    ],
    ['', '[]', []],
  ];
  for (const [signature, written, read] of ARGS)
    it(`is arguments of the types ${signature || 'of none'}, which come out as they are written`, () => {
      for (const endian of ['little', 'big']) {
        const text = body(
          `endian: ${endian}, signature: '${signature}', args: ${written}`,
          'fds: [{ pipe: p }, { pipe: q }], ',
        );
        assert.deepEqual(
          (readBack(text) as [string, unknown][]).map(([, value]) => value),
          read,
        );
      }
    });

  it('may be captured bytes, with a serial and envelope of their own', () => {
    const message: DbusMessage = {
      ...{
        type: 'signal',
        endian: 'big',
        flags: 3,
        path: '/p',
        interface: 'a.B',
        member: 'C',
        sender: ':1.5',
      },
      args: [{ type: 'a{sv}', value: new Map([['A', { type: 'u', value: 1 }]]) }],
    };
    const raw = marshal(message, 99).toString('hex');
    const { steps } = ok(file(`  - send: { from: a, to: b, payload: { dbus: { raw: ${raw} } } }`));
    assert.deepEqual((steps[0] as SendStep).dbus, message);
  });

  const WRONG: readonly (readonly [message: string, complaint: RegExp])[] = [
    ["signature: 'a{vs}', args: [{}]", /"a\{vs\}" is no list of types/],
    ['signature: ss, args: [x]', /2 types for 1 argument$/],
    ['signature: y, args: [256]', /whole number from 0 to 255 for type y, got 256/],
    ["signature: t, args: ['18446744073709551616']", /out of the range of type t/],
    ["signature: 'a(si)', args: [[[x]]]", /expected a list of the 2 members of \(si\)/],
    ["signature: 'a{sv}', args: [{ A: 1 }]", /expected a variant, got 1/],
    ["signature: 'a{ub}', args: [{ x: true }]", /expected a number, got "x"/],
    ['signature: h, args: [0]', /there is no descriptor 0/],
    ["signature: s, args: ['a\\0b']".replace("'a\\0b'", '"a\\0b"'), /cannot contain NUL/],
    ['args: [{ Powered: true }]', /the type of .* is not clear/],
    ['args: [2147483648]', /for type i, got 2147483648/],
    ['raw: "6c"', /captured bytes say by themselves what `path` says/],
  ];
  for (const [message, complaint] of WRONG)
    it(`is refused: ${message}`, () => assert.match(complaints(body(message)).join('\n'), complaint));

  it('is refused: bytes that are no message, with the place', () => {
    const text = (raw: string) =>
      file(`  - send: { from: a, to: b, payload: { dbus: { raw: ${JSON.stringify(raw)} } } }`);
    assert.match(
      complaints(text('6c04')).join(),
      /not a D-Bus message that can be sent: no header of a message, at byte 0/,
    );
    assert.match(complaints(text('x')).join(), /the bytes of a message in hex/);
  });

  it('is a message whose header declares its descriptors', () => {
    const { steps } = ok(
      file(
        '  - send: { from: a, to: b, fds: [{ pipe: p }, { pipe: q }], payload: { dbus: { path: /p, interface: a.B, member: C } } }',
      ),
    );
    assert.equal(steps[0]?.kind === 'send' && steps[0].dbus?.unixFds, 2);
  });

  it('is rules that come and go, also for a time', () => {
    const { steps } = ok(
      file(`
  - fault: { add-match: b, rule: "member=Y", for: 5ms }
  - fault: { remove-match: a, rule: "member='X',type=signal", for: 5ms }
  - fault: { restart: b }
  - fault: { add-match: b, rule: "member=Z", at: 5ms }`),
    );
    assert.deepEqual(
      actions(steps).filter(({ fault }) => fault.endsWith('match')),
      [
        { fault: 'add-match', client: 'b', rule: 'member=Y' },
        { fault: 'remove-match', client: 'b', rule: 'member=Y' },
        { fault: 'remove-match', client: 'a', rule: "member='X',type=signal" },
        { fault: 'add-match', client: 'a', rule: "member='X',type=signal" },
        { fault: 'add-match', client: 'b.2', rule: 'member=Z' },
      ],
    );
  });

  it('is names with an address each, counted apart from those of groups', () => {
    const { clients } = ok(`
buses: { s: { protocol: dbus } }
groups: { g: { prefix: 2 } }
clients:
  a: { groups: [g], names: [a.A, a.B], addresses: ["0001/000000000002"] }
  b: { names: [a.C] }`);
    assert.deepEqual(
      clients.map(({ names, addresses }) => [names, addresses]),
      [
        [
          ['a.A', 'a.B'],
          ['0002/000000000001', '0001/000000000001', '0001/000000000003', '0001/000000000002'],
        ],
        [['a.C'], ['0001/000000000004']],
      ],
    );
  });

  it('allows as many removals of a rule as some order of branches can do, and warns of the others', () => {
    assert.deepEqual(
      complaints(
        file(`
  - fault: { add-match: a, rule: "path='/p'" }
  - fault: { remove-match: a, rule: "path='/p'" }
  - parallel:
      - fault: { remove-match: a, rule: "path='/p'" }
      - - fault: { remove-match: b, rule: "member=Y" }
        - fault: { add-match: b, rule: "member=Y" }
      - fault: { add-match: b, rule: "member=Y" }
  - fault: { remove-match: b, rule: "member=Y" }`),
      ).filter((line) => !/matches nothing|has no effect|nothing is sent/.test(line)),
      ['10 warning: whether the master can do this depends on how the branches interleave'],
    );
  });

  it('has the bounds of the module', () => {
    const rules = (count: number) => Array.from({ length: count }, (_, n) => `member=M${n}`).join('", "');
    const client = (more: string) => `buses: { s: { protocol: dbus } }\nclients: { a: { ${more} } }`;
    assert.deepEqual(complaints(client(`match: ["${rules(512)}"]`)), []);
    assert.match(
      complaints(client(`match: ["${rules(513)}"]`)).join(),
      /^2 error: .*512 match rules of one client/,
    );
    assert.match(
      complaints(
        `${client(`match: ["${rules(512)}"]`)}\ntraffic: [{ fault: { add-match: a, rule: member=X } }]`,
      ).join(),
      /^3 error: .*512 match rules/,
    );
    const names = Array.from({ length: 513 }, (_, n) => `a.N${n}`).join();
    assert.match(complaints(client(`names: [${names}]`)).join(), /512 names of one client/);
    const path = (length: number) =>
      body('')
        .replace('/p,', `/${'x'.repeat(length)},`)
        .replace(/, {2}/, ' ');
    assert.match(
      complaints(path(65_536)).join(),
      /header fields have 65\d\d\d bytes, and the kernel reads at most 65536/,
    );
    const others = complaints(path(65_000)).filter(
      (line) => !line.includes('no message of this file matches'),
    );
    assert.deepEqual(others, []);
  });

  it('has a limit of its size, like any message', () => {
    const args = JSON.stringify(['x'.repeat(2000)]);
    const big = `buses: { s: { protocol: dbus, sendBuffer: 2KiB } }
clients: { a: {}, b: {} }
traffic:
  - send: { from: a, to: b, payload: { dbus: { path: /p, interface: a.B, member: C, args: ${args} } } }`;
    assert.match(
      complaints(big).join(),
      /a message of 2\d\d\d bytes is longer than bus "s"'s send buffer allows/,
    );
    assert.deepEqual(complaints(`${big}\n    expect: { error: EMSGSIZE }`), []);
  });

  it('expects what the model says about rules, and tells why', () => {
    const signal = 'payload: { dbus: { path: /p, interface: a.B, member: C } }';
    assert.match(
      complaints(
        file(`  - send: { from: b, to: session, ${signal} }\n    expect: { recipients: [b] }`),
      ).join(),
      /"b" gets no copy, only a: .*match rule.*dbus\.md section 3/,
    );
    assert.match(
      complaints(file(`  - b -> session: "x"\n    expect: { recipients: [a] }`)).join(),
      /"a" gets no copy, only nobody: .*no D-Bus message/,
    );
  });
});
