// SPDX-License-Identifier: MIT
/** Compares what a file expects of its sends with what the model predicts, before anything boots. */
import { ENVELOPE_SIZE, encode } from '../../common/envelope.ts';
import { embedEnvelope } from '../../dbus/index.ts';
import {
  type Allowed,
  type Contradictions,
  type Datagrams,
  type Finding,
  limitedShares,
  type Prediction,
  predict,
} from '../../predict/index.ts';
import { type Lane, parseLane } from '../../topology/lane.ts';
import { lengthsOf, templateIn } from '../../topology/message.ts';
import { sends } from '../../topology/steps.ts';
import type { SendStep, Topology } from '../../topology/topology.ts';
import type { Deliveries, Scope } from '../resolve/index.ts';
import { prove } from './prove/index.ts';

export interface Expectations {
  readonly contradictions: Contradictions;
  readonly prediction: Prediction;
}

/**
 * Reports steps that can never end, and expectations that can never hold; returns the reasons, for the report of a run
 * in which they do not hold.
 */
export function checkExpectations(scope: Scope, topology: Topology, deliveries: Deliveries): Expectations {
  const contradictions = new Map<string, string>();
  const prediction = predict(topology, longest);
  const limited = limitedShares(topology);
  for (const finding of prediction.findings) {
    tell(scope, finding);
    if (finding.kind !== 'order-dependent') contradictions.set(finding.step, finding.message);
  }
  for (const step of sends(topology.steps)) {
    const wrong = checkSend(scope, prediction, step);
    if (wrong.length > 0) contradictions.set(step.id, wrong.join('; '));
    if (step.as === undefined) continue;
    checkLines(prediction, step, step.as, deliveries);
    const { length } = step.fds;
    deliveries.count(step.as, length, (lane) => limited.get(lane)?.(step.id, length) ?? [length]);
  }
  prove(scope, prediction, topology, longest);
  return { contradictions, prediction };
}

/** Sizes and generated bodies are drawn when a file is played. The checks use the longest size, filled with zeros. */
const longest: Datagrams = (step) => {
  const { payload } = step;
  const template = templateIn(step);
  const length = Math.max(ENVELOPE_SIZE, lengthsOf(step).max);
  const body = () => payload ?? new Uint8Array(length - ENVELOPE_SIZE);
  return {
    length,
    bytes: () => (template ? embedEnvelope('message', 0, 0, template) : encode('message', 0, 0, body())),
  };
};

/**
 * A step that never ends is an error, since it hangs the run. The rest are warnings: a file may want to show a failure.
 */
function tell({ problems, paths }: Scope, { step, kind, message, hint }: Finding): void {
  const path = paths.get(step) ?? [];
  if (kind === 'order-dependent') problems.warning(path, { code: 'order-dependent', message, hint });
  else if (kind === 'endless') problems.error(path, { code: 'impossible', message, hint });
  else problems.warning([...path, 'expect'], { code: 'impossible', message, hint });
}

interface Mismatch {
  readonly key: 'error' | 'recipients';
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Reports the first message of a step that cannot go as the file expects; returns the texts of the report. */
function checkSend(scope: Scope, prediction: Prediction, step: SendStep): string[] {
  const path = scope.paths.get(step.id) ?? [];
  const seen = new Set<Allowed>();
  for (let n = 0; n < step.count; n++) {
    const allowed = prediction.of(step.id, n);
    if (allowed === undefined || seen.has(allowed)) continue;
    seen.add(allowed);
    const wrong = [...mismatches(scope, step, allowed)];
    const which = n === 0 ? '' : `message ${n + 1} of ${step.count}: `;
    for (const { key, message, hint } of wrong) {
      const words = { code: 'impossible' as const, message: `${which}${message}`, hint };
      scope.problems.warning([...path, 'expect', key], words);
    }
    if (wrong.length > 0) return wrong.map(({ message }) => `${which}${message}`);
  }
  return [];
}

function* mismatches(scope: Scope, { id, expect }: SendStep, allowed: Allowed): Generator<Mismatch> {
  const { errors, because, delivered } = allowed;
  if (expect.error !== undefined) {
    // Where the length is checked, it is also reported if such a message would fit.
    if (errors.includes(expect.error) || expect.error === 'EMSGSIZE') return;
    const instead = delivered ? 'the send succeeds' : `the send fails with ${errors.join(' or ')}`;
    yield { key: 'error', message: `${expect.error} cannot happen here: ${instead}, because ${because}` };
  } else if (expect.recipients !== undefined && delivered === undefined) {
    const hint = `Expect it: expect: { error: ${errors[0]} }.`;
    yield { key: 'recipients', message: `this send fails with ${errors.join(' or ')}: ${because}`, hint };
  } else if (expect.recipients !== undefined && delivered !== undefined) {
    yield* wrongRecipients(scope, id, expect.recipients, namesOf(delivered), because);
  }
}

/** Reports each mistake once: listed recipients that get no copy, or, if there are none, others that get one. */
function* wrongRecipients(
  { reasons }: Scope,
  id: string,
  written: readonly string[],
  { must, may }: { readonly must: ReadonlySet<string>; readonly may: ReadonlySet<string> },
  because: string,
): Generator<Mismatch> {
  const known = reasons.get(id);
  const extra = written.filter((name) => !must.has(name) && !may.has(name));
  for (const name of extra) {
    const only = [...must, ...may].join(', ') || 'nobody';
    const message = known?.get(name) ?? `"${name}" gets no copy, only ${only}: ${because}`;
    yield { key: 'recipients', message };
  }
  if (extra.length > 0) return;
  const listed = new Set(written);
  for (const name of must) {
    if (listed.has(name)) continue;
    const message = known?.get(name) ?? `"${name}" gets a copy too: ${because}`;
    yield { key: 'recipients', message, hint: `Add ${name} to the recipients.` };
  }
}

const namesOf = ({ must, may }: NonNullable<Allowed['delivered']>) => ({
  must: new Set(must.map(nameOf)),
  may: new Set(may.map(nameOf)),
});

/** The name as a file writes it: the master has one name for all its sockets. */
const nameOf = (lane: Lane): string => parseLane(lane).agent;

/** Reports lines of `expect.deliveries` about a party that gets no copy. */
function checkLines(
  prediction: Prediction,
  { id, expect }: SendStep,
  as: string,
  deliveries: Deliveries,
): void {
  if (expect.recipients !== undefined || expect.error !== undefined) return;
  const { delivered, errors = [], because = '' } = prediction.of(id, 0) ?? {};
  if (delivered === undefined)
    deliveries.refuse(as, `the send fails with ${errors.join(' or ')}, because ${because}`);
  else deliveries.compare(as, new Set([...delivered.must, ...delivered.may].map(nameOf)));
}
