// SPDX-License-Identifier: MIT
/** Verbs that are no verbs of the language, and what to write for them. */

import { didYouMean, nearest } from '../../common/nearest.ts';

/** Words for what the steps of message buses do: of D-Bus itself, of its tools and libraries. Without `-` and case. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  own: ['requestname', 'acquirename', 'ownname', 'takename', 'getname', 'request', 'acquire'],
  release: ['releasename', 'unownname', 'dropname', 'losename', 'unown'],
  start: ['startservicebyname', 'startservice', 'activate', 'launch'],
  'add-match': ['subscribe', 'addrule', 'listen', 'monitor'],
  'remove-match': ['unsubscribe', 'removerule', 'deletematch', 'delmatch', 'unlisten'],
  signal: ['emit', 'emitsignal', 'sendsignal', 'publish', 'broadcast'],
  call: ['callmethod', 'methodcall', 'invoke'],
};

const EXAMPLES: Readonly<Record<string, string>> = {
  own: '{ client: panel, name: org.example.Player }',
  release: '{ client: panel, name: org.example.Player }',
  start: '{ client: panel, name: org.example.Player }',
  'add-match': `{ client: panel, rule: "type='signal'" }`,
  'remove-match': `{ client: panel, rule: "type='signal'" }`,
  signal: '{ from: player, path: /p, interface: org.example.Player, member: Changed }',
  call: '{ from: panel, to: org.example.Player, path: /p, member: Seek }',
};

/** The verb of message buses that a word stands for. */
function meant(word: string): string | undefined {
  const plain = word.toLowerCase().replaceAll(/[-_]/g, '');
  return Object.keys(WORDS).find((verb) => verb.replace('-', '') === plain || WORDS[verb]?.includes(plain));
}

/** What to write for a fault of no known verb. Match rules change by faults as well, on buses of `protocol: dbus`. */
export function faultMeant(word: string, faults: readonly string[]): string | undefined {
  const verb = meant(word);
  if (verb === undefined || faults.includes(verb)) return didYouMean(verb ?? word, faults);
  return `It is a step of message buses: write - ${verb}: ${EXAMPLES[verb]}, with master: { program: dbus-daemon } at the bus.`;
}

/** What to write for a step of no known kind. */
export function stepMeant(
  word: string,
  steps: readonly string[],
  faults: readonly string[],
): string | undefined {
  const verb = meant(word);
  if (verb !== undefined)
    return `Did you mean "${verb}"? On a message bus write - ${verb}: ${EXAMPLES[verb]}.`;
  const near = didYouMean(word, steps);
  const fault = near === undefined ? nearest(word, faults) : undefined;
  return fault === undefined ? near : `It is a fault: write - fault: { ${fault}: … }.`;
}
