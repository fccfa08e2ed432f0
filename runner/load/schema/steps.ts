// SPDX-License-Identifier: MIT
/** The schema of `traffic`. */
import * as z from 'zod';
import { ENVELOPE_SIZE } from '../../common/envelope.ts';
import { nearest } from '../../common/nearest.ts';
import { BASE64, HEX, NAME, SIZE_RANGE } from '../../common/scalars.ts';
import { either, show } from '../../common/text.ts';
import { type Choice, expected, flag, has, list, map, NAME_HINT, pick, ref, text, whole } from './blocks.ts';
import { budgets } from './budgets.ts';
import {
  DBUS_STEPS,
  DBUS_VERBS,
  dbus,
  dbusSteps,
  ended,
  hears,
  runStep,
  type WrittenDbusStep,
  type WrittenHears,
  type WrittenOutcome,
  type WrittenRun,
  written,
} from './dbus.ts';
import { SEND_ERRNOS, sendErrnoHint } from './errno.ts';
import { fault, VERBS, type WrittenFault } from './faults.ts';
import { stepMeant } from './meant.ts';
import { duration, fds, rate } from './values.ts';

const sizes = text(SIZE_RANGE, 'a size', (input) =>
  /^\d+(\.\.\d+)?$/.test(String(input)) && Number.parseInt(String(input), 10) >= ENVELOPE_SIZE
    ? `Sizes carry units: ${input}B.`
    : `Write 4KiB, or a range: 64..4KiB. The envelope of ${ENVELOPE_SIZE} bytes is counted.`,
);
const PAYLOAD_HINT = 'Put numbers and words like true or null in "quotes"; for an empty payload write "".';
const plain = z.string({ error: expected('a text as payload', PAYLOAD_HINT) });
const hex = map({ hex: text(HEX, 'pairs of hex digits', 'Write { hex: "00ff" }.') });
const base64 = map({ base64: text(BASE64, 'base64', 'Four characters each, padded with =.') });
const FORMS = ['hex', 'base64', 'dbus'];
const payload = pick([plain, hex, base64, map({ dbus })], (input) => {
  if (typeof input !== 'object' || input === null) return 0;
  const forms = FORMS.filter((each) => has(input, each));
  if (forms.length > 1)
    return { message: `a payload has one of ${either(forms)}`, hint: 'Remove the others.' };
  const form = FORMS.indexOf(forms[0] ?? '');
  if (form >= 0) return form + 1;
  const hint = 'Write "text", { hex: "00ff" }, { base64: "AP8=" } or { dbus: { … } }.';
  return { message: `expected a payload, got ${show(input)}`, hint };
});

/** Keys of a send that `defaults.sends` may give. */
const common = {
  payload: payload.optional(),
  count: whole('a number of messages', 1, 1_000_000).optional(),
  size: sizes.optional(),
  rate: rate.optional(),
  fds: fds.optional(),
  nonblocking: flag.optional(),
};
export const sendDefaults = map(common);

const send = map(
  {
    from: ref('a sender'),
    to: ref('a destination'),
    ...common,
    as: text(NAME, 'a name', NAME_HINT, 'bad-name').optional(),
    via: ref('a client').optional(),
  },
  'a map',
  'Write { from: camera, to: sensors, payload: "text" }.',
);

const sendExpectKeys = map(
  {
    error: z
      .enum(SEND_ERRNOS, { error: expected('an errno that a send can give', sendErrnoHint) })
      .optional(),
    recipients: list(ref('a receiver')).optional(),
    ...budgets,
  },
  'a map',
  'Write { recipients: [lidar] }, { error: EAGAIN }, or model.',
);
/** Accepts whatever the model predicts. */
const asPredicted = z.literal('model', { error: expected('model', 'Did you mean "model"?') });
const sendExpect = pick([sendExpectKeys, asPredicted], (input) => (typeof input === 'string' ? 1 : 0));

const sendStep = map({ send, expect: sendExpect.optional() });
const shortStep = z.object({ expect: sendExpect.optional() }).catchall(plain);

const client = ref('a client');

const blocked = map({ client, blocked: flag, within: duration.optional() });
const hangup = map({
  client,
  hangup: z.literal(true, { error: expected('true', 'There is no check for a hang-up that must not come.') }),
  within: duration.optional(),
});
const observation = pick([blocked, hangup, hears, ended, written], (input) => {
  if (has(input, 'blocked')) return 0;
  if (has(input, 'hears')) return 2;
  if (has(input, 'hangup')) return 1;
  if (has(input, 'exit')) return 3;
  if (has(input, 'output')) return 4;
  const about = has(input, 'recipients') || has(input, 'error');
  return {
    message:
      'expected { client, blocked }, { client, hangup }, { client, hears } or { client, exit, output }',
    hint: about
      ? 'To belong to a send, `expect` stands below it with the same indent, without a `-`.'
      : undefined,
  };
});

export type WrittenSend = z.infer<typeof send>;
export type WrittenSendExpect = z.infer<typeof sendExpectKeys> | 'model';
export type WrittenStep =
  | { readonly send: WrittenSend; readonly expect?: WrittenSendExpect }
  | { readonly parallel: readonly (WrittenStep | readonly WrittenStep[])[] }
  | { readonly fault: WrittenFault }
  | { readonly expect: z.infer<typeof blocked> | z.infer<typeof hangup> | WrittenHears | WrittenOutcome }
  | WrittenDbusStep
  | WrittenRun
  /** `camera -> sensors: "text"` */
  | Readonly<Record<string, string | WrittenSendExpect>>;

/** The key of a send in short form. */
export const ARROW = /^\s*\S+\s*->\s*\S+\s*$/;
const KINDS = ['send', 'parallel', 'fault'];
const STEP_HINT = `A step is \`camera -> lidar: "text"\`, send, parallel, fault or expect; on a message bus ${either(DBUS_STEPS)}.`;

/** Number of options before those of message buses. */
const FIRST_VERB = 5;

const step: z.ZodType<WrittenStep> = z.lazy(() => anyStep);
const branch = pick([step, z.array(step)], (input) => (Array.isArray(input) ? 1 : 0));
const parallelStep = map({ parallel: list(branch) });

/** A step. Steps may contain steps. */
export const anyStep = pick(
  [sendStep, parallelStep, map({ fault }), map({ expect: observation }), shortStep, ...dbusSteps, runStep],
  chooseStep,
) as z.ZodType<WrittenStep>;

function chooseStep(input: unknown): Choice {
  if (typeof input === 'string' && input.includes('->')) return chooseText(input);
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return { message: 'expected a step', hint: STEP_HINT };
  }
  const kind = KINDS.findIndex((each) => has(input, each));
  if (kind >= 0) return kind;
  const verb = DBUS_VERBS.findIndex((each) => has(input, each));
  if (verb >= 0) return FIRST_VERB + verb;
  if (has(input, 'run')) return FIRST_VERB + DBUS_VERBS.length;
  const keys = Object.keys(input);
  if (keys.some((key) => key.includes('->'))) return chooseShort(keys);
  const [first] = keys;
  if (first === undefined) return { message: 'this step is empty', hint: STEP_HINT };
  if (keys.length === 1 && first === 'expect') return 3;
  const hint = stepMeant(first, [...KINDS, 'expect', ...DBUS_STEPS], VERBS) ?? STEP_HINT;
  return { code: 'unknown-key', message: `unknown step ${show(first)}`, hint, at: first, onKey: true };
}

/** Reports a send that is one text: its payload is missing, or the quotes enclose all of it. */
function chooseText(input: string): Choice {
  const [, key = '', text] = /^([^:]*)(?::\s*(.*))?$/s.exec(input) ?? [];
  if (!ARROW.test(key)) return { message: `${show(key)} is not \`sender -> destination\``, hint: ARROW_HINT };
  const hint = `Write - ${key.trim()}: ${JSON.stringify(text ?? 'text')}.`;
  return text === undefined
    ? { message: 'this send has no payload', hint }
    : { message: 'quotes go around the payload alone', hint };
}

const ARROW_HINT = 'Write one sender, an arrow, and one destination: camera -> lidar.';

/** The hint for keys next to a short send that belong elsewhere. */
function besideHint(odd: string): string {
  if (nearest(odd, ['expect']) !== undefined) return 'Did you mean "expect"?';
  if (Object.hasOwn(sendExpectKeys.shape, odd)) return `Write expect: { ${odd}: … }.`;
  if (Object.hasOwn(send.shape, odd))
    return `Write the send in its long form: send: { from: …, to: …, payload: …, ${odd}: … }.`;
  return 'Only `expect` stands beside a send.';
}

/** Accepts one arrow, with nothing next to it but `expect`. */
function chooseShort(keys: readonly string[]): Choice {
  const others = keys.filter((key) => key !== 'expect');
  const odd = others.find((key) => !key.includes('->'));
  if (odd !== undefined) {
    const message = `unknown key ${show(odd)}`;
    return { code: 'unknown-key', message, hint: besideHint(odd), at: odd, onKey: true };
  }
  if (others.length > 1) {
    const hint = 'Start each send with a `-` of its own.';
    return { code: 'unknown-key', message: 'a step is one send', hint, at: others[1] ?? '', onKey: true };
  }
  const [key = ''] = others;
  if (ARROW.test(key)) return 4;
  return {
    code: 'bad-value',
    message: `${show(key)} is not \`sender -> destination\``,
    hint: ARROW_HINT,
    at: key,
    onKey: true,
  };
}

export const steps = list(step);
