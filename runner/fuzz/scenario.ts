// SPDX-License-Identifier: MIT
/** A topology in parts that can be removed one by one, and its text. */

/** What the language says, as it would be read from YAML. */
export type Written = string | number | boolean | readonly Written[] | { readonly [key: string]: Written };

export interface Scenario {
  readonly name: string;
  /** Comment lines that say where it comes from. */
  readonly about: readonly string[];
  /** Everything on one node, and several clients per process: faster to start. */
  readonly packed?: boolean;
  readonly buses: readonly BusPart[];
}

/** A bus and everything on it; its steps mention no party of another bus. */
export interface BusPart {
  readonly name: string;
  readonly settings: { readonly [key: string]: Written };
  readonly groups: readonly Part[];
  readonly clients: readonly Part[];
  readonly steps: readonly Written[];
}

export interface Part {
  readonly name: string;
  readonly settings: { readonly [key: string]: Written };
}

/** The file; steps of one bus follow those of another. */
export function textOf({ name, about, packed, buses }: Scenario): string {
  const parts = (of: (bus: BusPart) => readonly Part[]) =>
    buses.flatMap(of).map((part) => `  ${part.name}: ${flow(part.settings)}`);
  const groups = parts((bus) => bus.groups);
  return [
    ...about.map((line) => `# ${line}`),
    `name: ${name}`,
    ...(packed ? ['launcher: { process: { pack: 20 } }', 'nodes: { host: {} }'] : []),
    'buses:',
    ...parts((bus) => [bus]),
    ...(groups.length > 0 ? ['groups:', ...groups] : []),
    'clients:',
    ...parts((bus) => bus.clients),
    'traffic:',
    ...buses.flatMap((bus) => bus.steps).flatMap((step) => stepLines(step, '  ')),
    '',
  ].join('\n');
}

/** One line per step; for a parallel step, one line per branch. */
function stepLines(step: Written, indent: string): string[] {
  if (typeof step !== 'object' || !('parallel' in step)) return [`${indent}- ${flow(step)}`];
  const branches = step.parallel as readonly Written[];
  return [`${indent}- parallel:`, ...branches.map((branch) => `${indent}    - ${flow(branch)}`)];
}

const PLAIN = /^[a-z][a-z0-9.-]*$/;
const RESERVED = /^(true|false|null|yes|no|on|off|y|n)$/;

function flow(value: Written): string {
  if (typeof value === 'string')
    return PLAIN.test(value) && !RESERVED.test(value) ? value : JSON.stringify(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[${value.map(flow).join(', ')}]`;
  const pairs = Object.entries(value).map(([key, each]) => `${key}: ${flow(each)}`);
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
}

/** Whether a step, or anything inside it, names this party. */
export function mentions(step: Written, party: string): boolean {
  if (typeof step === 'string') return step === party;
  if (typeof step !== 'object') return false;
  return Object.values(step).some((each) => mentions(each as Written, party));
}
