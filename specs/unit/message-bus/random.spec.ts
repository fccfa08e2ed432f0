// SPDX-License-Identifier: MIT
// What the model says of names, rules and signals is what the daemon's driver does, whatever clients do.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Random } from '../../../runner/common/random.ts';
import { complaints, playText } from '../sim/play.ts';

const RUNS = 60;
const STEPS = 25;
const CLIENTS = ['a', 'b', 'c', 'd', 'e'];
const NAMES = ['x.One', 'x.Two', 'y.Three'];
const RULES = [
  "type='signal'",
  "sender='x.One'",
  "sender='x.Two',member='M'",
  "member='NameOwnerChanged'",
  "arg0='x.One'",
  "arg0namespace='x'",
  "path_namespace='/p'",
  "sender='org.freedesktop.DBus',arg2=''",
];

/** A file in which clients do what comes to mind; what must come of it is left to the model. */
function fileOf(random: Random): string {
  const alive = [...CLIENTS];
  const connect = () => random.pick(['native', 'legacy']);
  const some = (list: readonly string[]) =>
    list.filter(() => random.oneIn(3)).map((each) => JSON.stringify(each));
  const clients = CLIENTS.map(
    (name) => `  ${name}: { connect: ${connect()}, match: [${some(RULES)}], names: [${some(NAMES)}] }`,
  );
  const steps = Array.from({ length: STEPS }, () => stepOf(random, alive));
  return `buses: { session: { master: { program: dbus-daemon } } }\nclients:\n${clients.join('\n')}\ntraffic:\n${steps.join('\n')}\n`;
}

function stepOf(random: Random, alive: string[]): string {
  const client = random.pick(alive);
  const name = random.pick(NAMES);
  const rule = JSON.stringify(random.pick(RULES));
  const flag = () => random.oneIn(2);
  const member = random.pick(['M', 'N']);
  const signal = `path: ${random.pick(['/p', '/p/q', '/r'])}, interface: i.I, member: ${member}, args: [${random.pick(NAMES)}]`;
  const forms = [
    () =>
      `own: { client: ${client}, name: ${name}, allow-replacement: ${flag()}, replace: ${flag()}, queue: ${flag()} }`,
    () => `release: { client: ${client}, name: ${name} }`,
    () => `add-match: { client: ${client}, rule: ${rule} }`,
    () => `remove-match: { client: ${client}, rule: ${rule} }`,
    () => `signal: { from: ${client}, ${signal} }`,
    () => `signal: { from: ${client}, to: ${name}, ${signal} }`,
    () => `call: { from: ${client}, to: ${name}, path: /p, member: ${member} }`,
    () => kill(client, alive),
  ];
  return `  - ${random.pick(forms)()}`;
}

/** One stays, or nobody could do anything. */
function kill(client: string, alive: string[]): string {
  if (alive.length < 3) return `signal: { from: ${client}, path: /p, interface: i.I, member: M }`;
  alive.splice(alive.indexOf(client), 1);
  return `fault: { kill: ${client} }`;
}

describe('random message buses', () => {
  it(`${RUNS} of them do what the model says`, async function () {
    this.timeout(120_000);
    for (let seed = 1; seed <= RUNS; seed++) {
      const yaml = fileOf(new Random(seed));
      const { verdict } = await playText(yaml, { seed });
      assert.deepEqual(complaints(verdict), [], `seed ${seed}:\n${yaml}`);
      assert.equal(verdict.result, 'pass');
    }
  });
});
