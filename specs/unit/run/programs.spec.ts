// SPDX-License-Identifier: MIT
// A program that a node does not have: the place in the file, and what brings it. How a program ends after the last step
// about it.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Deadline } from '../../../runner/common/deadline.ts';
import { EnvironmentError } from '../../../runner/common/errors.ts';
import { run } from '../../../runner/run/index.ts';
import { FakeLab, planOf } from './fake-lab.ts';

const fileWith = (program: string) => `
nodes: { n: {} }
buses: { session: { master: { program: dbus-daemon, node: n } } }
clients: { caller: { node: n, program: [${program}] } }
traffic: [{ run: caller, expect: { exit: 0 } }]
`;

/** What a run says if its node does not have this program. */
async function saidOf(program: string): Promise<EnvironmentError> {
  const lab = new FakeLab(['n'], (_, order, fake) =>
    order.do === 'run-program'
      ? [{ say: 'failed', id: order.id, t: fake.tick(), error: { code: 'ENOENT', message: 'no such file' } }]
      : undefined,
  );
  return run(planOf(fileWith(program)), lab, { deadline: new Deadline(5000) }).then(
    () => assert.fail('it has started'),
    (error) => error,
  );
}

describe('a program that a node does not have', () => {
  it('is an environment error with its place and the package that brings it', async () => {
    const error = await saidOf('busctl');
    assert.ok(error instanceof EnvironmentError, error);
    assert.match(error.message, /^\S+:6:31: node "n" has no program busctl$/);
    assert.match(error.hint, /^Debian's package systemd brings it;/);
  });

  for (const program of ['my-own-tool', 'constructor', '__proto__'])
    it(`is brought by no package that is known, if it is ${program}`, async () =>
      assert.match((await saidOf(program)).hint, /^give its path;/));
});

const LISTENS = `
nodes: { n: {} }
buses: { session: { master: { program: dbus-daemon, node: n } } }
clients: { caller: { node: n, program: [dbus-monitor] } }
traffic: [{ run: caller, expect: { output: [x] EXIT } }]
`;

describe('a program of which a step expects', () => {
  const crashed = { state: 'ended', signal: 'SIGSEGV', output: '', errors: [] } as const;
  const recorded = async (exit: string, keep: boolean) => {
    const lab = new FakeLab(['n'], (_, order, fake) => {
      if (!order.do.endsWith('-program')) return undefined;
      const last = order.do === 'kill-program' || (order.do === 'await-program' && order.within === 0);
      const program = last ? crashed : ({ state: 'runs', output: 'x', errors: [] } as const);
      return [{ say: 'done', id: order.id, began: fake.tick(), t: fake.tick(), result: { program } }];
    });
    const plan = planOf(LISTENS.replace('EXIT', exit));
    const { programs = [] } = await run(plan, lab, { deadline: new Deadline(5000), keep });
    return programs.filter(({ atEnd }) => atEnd);
  };

  for (const keep of [true, false]) {
    it(`only output is looked at after the last step, if it is ${keep ? 'kept' : 'ended'}`, async () =>
      assert.deepEqual(await recorded('', keep), [{ step: '1', atEnd: true, ...crashed }]));
    it(`the end is not, if it is ${keep ? 'kept' : 'ended'}`, async () =>
      assert.deepEqual(await recorded(', exit: 0', keep), []));
  }
});
