// SPDX-License-Identifier: MIT
/** `dbus.names`: the bus's signals to each client about names and owners: exactly these, in this order. */
import { plural } from '../../common/text.ts';
import { DRIVER } from '../../dbus/index.ts';
import { type DbusStep, heardText } from '../../topology/message-bus.ts';
import { flat } from '../../topology/steps.ts';
import { Findings } from '../findings.ts';
import type { CheckResult } from '../verdict.ts';
import type { BusFacts, Copy } from './facts.ts';

/** A signal that a client must get, and until which step. */
interface Due {
  readonly text: string;
  /** The step that asks for it, or in which it is sent; absent before the first step. */
  readonly step?: { readonly id: string; readonly place: DbusStep['place'] };
}

interface AllDue {
  readonly due: readonly Due[];
  /** Where lists of `hears` end that leave out what the model expects next: what comes there is missing in the list. */
  readonly ends: ReadonlyMap<number, NonNullable<Due['step']>>;
}

const SHOWN = 3;
const DRIVER_PATH = '/org/freedesktop/DBus';

export function names(facts: BusFacts): CheckResult {
  const findings = new Findings('dbus.names', ['wrong-order', 'not-told', 'told-without-reason']);
  let checked = 0;
  for (const [client, log] of facts.logs) {
    const { due, ends } = dueTo(facts, client);
    checked += due.length;
    const heard = log.flatMap((copy) => heardIn(facts, copy));
    compare(facts, findings, client, { due, ends, heard });
  }
  return findings.result(checked, plural(checked, 'change of a name', 'changes of names'));
}

/** Signals according to the file, or else to the model. */
function dueTo({ plan }: BusFacts, client: string): AllDue {
  const { steps } = plan.topology;
  const due: Due[] = (plan.operations?.heard.get(client) ?? []).map(({ top, text }) => {
    const step = steps[top];
    return step === undefined ? { text } : { text, step };
  });
  const ends = new Map<number, NonNullable<Due['step']>>();
  let at = 0;
  for (const step of flat(steps)) {
    if (step.kind !== 'dbus' || step.action.do !== 'hears' || step.action.client !== client) continue;
    const modelled = plan.operations?.since.get(step.id)?.length ?? 0;
    const { heard } = step.action;
    due.splice(at, modelled, ...heard.map((text) => ({ text, step })));
    at += heard.length;
    if (heard.length < modelled) ends.set(at, step);
  }
  return { due, ends };
}

/** Every signal of the bus. One with an unexpected form gets a text that equals no expected one. */
function heardIn({ nameOf }: BusFacts, { got, client }: Copy): string[] {
  const { type, sender, path, interface: iface, member = '', texts } = got;
  if (type !== 'signal' || sender !== DRIVER) return [];
  const text = heardText(
    member,
    texts.map((name) => nameOf(name, client)),
  );
  return [path === DRIVER_PATH && iface === DRIVER ? text : `${path} ${iface}.${text}`];
}

function compare(
  { cut }: BusFacts,
  findings: Findings,
  client: string,
  { due, ends, heard }: AllDue & { readonly heard: readonly string[] },
): void {
  const at = due.findIndex(({ text }, n) => text !== heard[n]);
  const first = at < 0 ? due.length : at;
  if (first === due.length && heard.length === due.length) return;
  if (cut && heard[first] === undefined) return;
  const short = heard[first] === undefined ? undefined : ends.get(first);
  const step = short ?? (due[first] ?? due.at(-1))?.step;
  const wanted = due.slice(first).map(({ text }) => text);
  const observed = heard.slice(first);
  findings.add(kindOf(wanted, observed), step?.id, () => ({
    summary: `the bus did not tell ${client} about names what it must tell`,
    expected: short && wanted.length > 0 ? 'nothing more up to this step' : some(wanted),
    observed: some(observed),
    ...(step && { step: step.id, place: step.place }),
    ...(first > 0 && { detail: [`after ${heard[first - 1]}`] }),
  }));
}

function kindOf(wanted: readonly string[], observed: readonly string[]): string {
  if (wanted.toSorted().join('\n') === observed.toSorted().join('\n')) return 'wrong-order';
  return wanted.some((text) => !observed.includes(text)) ? 'not-told' : 'told-without-reason';
}

function some(texts: readonly string[]): string {
  if (texts.length === 0) return 'nothing';
  const more = texts.length > SHOWN ? `, and ${texts.length - SHOWN} more` : '';
  return texts.slice(0, SHOWN).join(', then ') + more;
}
