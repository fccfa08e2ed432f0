// SPDX-License-Identifier: MIT
// Every topology of the project, on the real host: as processes all of them, as containers those that depend on it.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'mocha';
import type { Verdict } from '../runner/verdict/verdict.ts';
import { cli, failed } from './helpers/cli.ts';

const FOLDER = new URL('../topologies/', import.meta.url).pathname;
const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.topo.yaml'),
);
const IN_CONTAINERS = [
  'quickstart',
  'total-order',
  'fd-passing',
  'limited-descriptors',
  'limited-memory',
  'credentials',
  'abstract-names',
  'master-leaves',
  'filters',
  'kill-node',
  'restart',
];
/** Checks that no topology may leave without something to check. */
const RAN = ['recipients', 'integrity', 'errors', 'order.total', 'kernel'];
/** On a message bus alone there are other checks; some files send no signal. */
const ON_MESSAGE_BUSES = ['dbus.replies', 'dbus.names', 'dbus.order', 'kernel'];
/** Nobody gets two messages in these, so they have no order to show. */
const ONE_EACH = [
  'dbus-desktop-signals',
  'master-failover',
  'privilege-separation',
  'request-reply',
  'two-domains',
];

function passes(name: string, launcher: string): void {
  it(`${name} passes in ${launcher} nodes`, async () => {
    const file = `${FOLDER}${name}.topo.yaml`;
    const args = ['run', '--quiet', '--strict', '--launcher', launcher, '--format', 'json', file];
    const { code, stdout, stderr } = await cli(args);
    const verdicts = verdictsIn(stdout);
    assert.ok(verdicts.length > 0, `no verdict (exit ${code}):\n${stdout}\n${stderr}`);
    for (const verdict of verdicts) assertPass(verdict, launcher);
    assert.equal(code, 0);
  });
}

/** One object, or a list if a file has several combinations. */
function verdictsIn(stdout: string): Verdict[] {
  const value = JSON.parse(stdout || '[]') as Verdict | Verdict[];
  return Array.isArray(value) ? value : [value];
}

function assertPass(verdict: Verdict, launcher: string): void {
  assert.equal(verdict.result, 'pass', JSON.stringify(verdict, null, 2));
  assert.deepEqual(failed(verdict), []);
  assert.equal(verdict.where.launcher, launcher);
  assert.ok(verdict.where.kernel.startsWith(`${process.env.AFBUS_KERNEL ?? '6.12'}.`), verdict.where.kernel);
  const ran = verdict.checks.filter((c) => c.result === 'pass').map((c) => c.name as string);
  const unordered = ONE_EACH.includes(verdict.topology);
  const isMessageBus = verdict.checks.some(({ name }) => name === 'dbus.signals');
  const hasPrograms = verdict.checks.some(({ name }) => name === 'dbus.programs');
  const wanted = isMessageBus ? [...ON_MESSAGE_BUSES, ...(hasPrograms ? ['dbus.programs'] : [])] : RAN;
  for (const check of wanted.filter((name) => !unordered || name !== 'order.total'))
    assert.ok(ran.includes(check), `${check} had nothing to check`);
}

describe('topologies', function () {
  this.timeout(180_000);
  for (const file of files) passes(file.replace('.topo.yaml', ''), 'process');
  for (const name of IN_CONTAINERS) passes(name, 'container');
});
