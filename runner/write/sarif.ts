// SPDX-License-Identifier: MIT
/** SARIF 2.1.0: findings with their places, for code scanning services and editors. */

import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { neutralJson } from '../common/neutral.ts';
import type { CheckName, Verdict } from '../verdict/verdict.ts';
import { failuresOf, inWords, plainLines, remarksOf, resultWord, whereOf } from './verdict-text.ts';

export interface Finding {
  /** Stable name of the kind of finding. */
  readonly rule: string;
  readonly level: 'error' | 'warning';
  readonly message: string;
  readonly file: string;
  /** From 1; absent or 0 if the finding is about the whole file. */
  readonly line?: number;
  readonly column?: number;
  /** First column after the marked text. */
  readonly endColumn?: number;
  /** `clients.camera.node`, or the step. */
  readonly path?: string;
}

/** Something that a reader of the findings should know, and that is none. */
export interface Remark {
  readonly message: string;
  readonly file: string;
}

/** The tool that made the findings. */
export interface Tool {
  readonly version: string;
  /** Rule → its subject, in one sentence. */
  readonly rules: Readonly<Record<string, string>>;
}

/** What is written besides the findings. */
interface Circumstances {
  /** False if something kept the tool from checking everything. */
  readonly complete?: boolean;
  readonly remarks?: readonly Remark[];
}

/** The log of one run of the tool. */
export function writeSarif(findings: readonly Finding[], tool: Tool, more: Circumstances = {}): string {
  return `${neutralJson(sarif(findings, tool, more), 2)}\n`;
}

export function sarif(
  findings: readonly Finding[],
  { version, rules }: Tool,
  { complete = true, remarks = [] }: Circumstances = {},
) {
  const used = [...new Set(findings.map(({ rule }) => rule))].sort();
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0' as const,
    runs: [
      {
        tool: {
          driver: {
            name: 'afbus-topo',
            semanticVersion: version,
            rules: used.map((id) => ({ id, shortDescription: { text: rules[id] ?? id } })),
          },
        },
        invocations: [
          {
            executionSuccessful: complete,
            ...(remarks.length > 0 && { toolExecutionNotifications: remarks.map(notification) }),
          },
        ],
        columnKind: 'utf16CodeUnits' as const,
        results: findings.map((finding) => result(finding, used.indexOf(finding.rule))),
      },
    ],
  };
}

function result({ rule, level, message, path, ...place }: Finding, ruleIndex: number) {
  const logicalLocations = path ? { logicalLocations: [{ fullyQualifiedName: path }] } : {};
  return {
    ruleId: rule,
    ruleIndex,
    level,
    message: { text: message },
    locations: [{ physicalLocation: physical(place), ...logicalLocations }],
  };
}

const notification = ({ message, file }: Remark) => ({
  level: 'note' as const,
  message: { text: message },
  locations: [{ physicalLocation: physical({ file }) }],
});

type Place = Pick<Finding, 'file' | 'line' | 'column' | 'endColumn'>;

function physical({ file, line, column, endColumn }: Place) {
  const artifactLocation = { uri: uriOf(file) };
  if (!line) return { artifactLocation };
  const columns = { ...(column ? { startColumn: column } : {}), ...(endColumn ? { endColumn } : {}) };
  return { artifactLocation, region: { startLine: line, ...columns } };
}

/** Relative paths stay relative, so that a service finds the files in its checkout. */
function uriOf(file: string): string {
  if (isAbsolute(file)) return pathToFileURL(file).href;
  return file.toWellFormed().split('/').map(encodeURIComponent).join('/').replace(/^\.\//, '');
}

/** Every failure of every check; a run that could not be judged is one finding about its file. */
export function findingsOf(verdicts: readonly Verdict[]): Finding[] {
  return verdicts.flatMap((verdict): Finding[] => {
    if (verdict.result === 'error')
      return [{ rule: 'environment', level: 'error', message: inWords(verdict), file: verdict.file }];
    if (verdict.result === 'skip')
      return [{ rule: 'nothing-proved', level: 'error', message: inWords(verdict), file: verdict.file }];
    return failuresOf(verdict).map((failure) => ({
      rule: failure.check,
      level: 'error',
      message: [failure.summary, ...plainLines(failure).slice(failure.place ? 1 : 0)].join('\n'),
      file: failure.place?.file ?? verdict.file,
      ...(failure.place ? { line: failure.place.line, column: failure.place.column } : {}),
      ...(failure.step ? { path: `step ${failure.step}` } : {}),
    }));
  });
}

/** Of each run, where it was, its result, and what happened that no check counts as wrong. */
export const remarksIn = (verdicts: readonly Verdict[]): Remark[] =>
  verdicts.flatMap((verdict) =>
    [
      `${verdict.topology}: ${whereOf(verdict.where)} · seed ${verdict.seed}`,
      `${verdict.topology}: ${resultWord(verdict)}: ${inWords(verdict)}`,
      ...remarksOf(verdict).map((line) => `${verdict.topology}: ${line}`),
    ].map((message) => ({ message, file: verdict.file })),
  );

/** What each check proves (docs/topology.md, "The checks"). */
export const CHECK_RULES: Readonly<Record<CheckName | 'environment' | 'nothing-proved', string>> = {
  recipients: 'Each message reached exactly its recipients.',
  integrity: 'Payload, length, sender, credentials and descriptors of each copy are right.',
  errors: 'Each failed send failed as expected, and nobody got it.',
  'order.total': 'One sequence explains what every socket received.',
  'order.fifo': "Each sender's messages arrive in the order in which it sent them.",
  'order.causal': 'Nothing is seen before its cause.',
  'dbus.signals': 'Each signal of D-Bus reached exactly the clients that want it, once each.',
  'dbus.replies': 'Each call came to the client that it is for, and was answered once, as it must be.',
  'dbus.names': 'The bus told each client of names and their owners what it must, in order.',
  'dbus.order': 'One order of all signals explains what every client got.',
  'dbus.lifetime':
    'The bus has cut off the clients that were paused for too long, and the run was not cut short.',
  'dbus.fds':
    'Each descriptor that was passed on a message bus works for those that got it, and is closed after them.',
  'dbus.programs': 'Each program ended as expected, and wrote what was expected.',
  blocked: 'Sends that must wait did wait, and went on when they could.',
  lifetime: 'Sockets end when they should, and not before.',
  budget: 'Latency and throughput are within the limits of the file.',
  kernel: "No warning in the kernel's log, and no socket left behind.",
  'nothing-proved': 'The run delivered messages, and its faults met some of them.',
  environment: 'The run broke down before it could be judged.',
};
