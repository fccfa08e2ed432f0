// SPDX-License-Identifier: MIT
// An expectation that the model contradicts never passes: either a check shows that it is wrong, or the run is skip.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { parseBug, type SimOptions } from '../../../runner/sim/index.ts';
import { playText } from './play.ts';

const file = (reader: string, recipients: string, then = '') => `buses: { car: {} }
groups: { g: { prefix: 1 } }
clients: { a: {}, b: { groups: [g] }, c: { ${reader} } }
traffic:
  - a -> ${recipients === '[]' ? 'c' : 'g'}: "x"
    expect: { recipients: ${recipients} }
  - a -> b: "y"
  ${then}
`;
const DROPS = 'filter: { drop: true }';
const LATE = 'receive: manual';
const DIES = '- fault: { kill: c }';

async function resultOf(source: string, bug?: SimOptions['bug']): Promise<string> {
  const { verdict } = await playText(source, { seed: 1, ...(bug && { bug }) });
  return verdict.reason === undefined ? verdict.result : `${verdict.result}: ${verdict.reason}`;
}

describe('an expectation that the model contradicts', () => {
  it('fails if a copy shows that it is wrong', async () => {
    assert.equal(await resultOf(file('', '[]')), 'fail');
    assert.equal(await resultOf(file('', '[b, c]')), 'fail');
  });

  const open =
    /^skip: \S+:5 expects what the model contradicts \("c" gets .*, and no check could tell from what happened which/;
  for (const [title, reader, then] of [
    ['a filter drops the copy', DROPS, ''],
    ['its reader ends before it reads', LATE, DIES],
  ] as const) {
    it(`is skip if ${title}`, async () => {
      assert.match(await resultOf(file(reader, '[]', then)), open);
      assert.match(await resultOf(file(reader, '[b, c]', then)), open);
    });
  }

  it('is skip if the bus does as the file says, though all recipients read', async () => {
    // It leaves out "c", the second recipient.
    assert.match(await resultOf(file('groups: [g]', '[b]'), parseBug('partial=2')), open);
  });

  it('is another thing than a copy that nobody can see, which the model expects as well', async () => {
    assert.equal(await resultOf(file(DROPS, '[c]').replace('a -> g', 'a -> c')), 'pass');
  });
});

describe('an expectation of a message bus that the model contradicts', () => {
  const OWNERS = `buses: { session: { master: { program: dbus-daemon } } }
clients: { v1: {}, v2: {}, ui: { match: ["type='signal',member='Changed'"] } }
traffic:
  - own: { client: v1, name: org.example.Svc, allow-replacement: true }
  - own: { client: v2, name: org.example.Svc, replace: true }
`;
  const failureOf = async (rest: string) => {
    const { verdict, plan } = await playText(`${OWNERS}${rest}`, { seed: 1 });
    const [failure] = verdict.checks.flatMap(({ failures }) => failures);
    const step = plan.topology.steps.findIndex(({ id }) => id === failure?.step);
    return { ...failure, step };
  };

  it('is the place of the failure if a list of signals leaves out the next one, and says why', async () => {
    const failure = await failureOf(`
  - expect: { client: v1, hears: ["NameAcquired v1", "NameAcquired org.example.Svc"] }
  - fault: { kill: v2 }
`);
    assert.deepEqual([failure.step, failure.expected], [2, 'nothing more up to this step']);
    const why = 'the model expects otherwise: the bus tells it NameLost org.example.Svc';
    assert.deepEqual(failure.detail, ['after NameAcquired org.example.Svc', why]);
  });

  it('fails with the reason of the model', async () => {
    const failure = await failureOf(`
  - signal: { from: v1, path: /, interface: a.B, member: Changed }
    expect: { recipients: [v2] }
`);
    assert.deepEqual(failure.detail, ['the model expects otherwise: it reaches "ui", not "v2"']);
  });
});
