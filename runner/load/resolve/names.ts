// SPDX-License-Identifier: MIT
/** All names of a file: nodes, buses, groups and clients share one name space. */

import type { Path } from '../../common/diagnostic.ts';
import { LIMITS } from '../../common/limits.ts';
import { didYouMean } from '../../common/nearest.ts';
import { either, show } from '../../common/text.ts';
import { masterOf } from '../../topology/lane.ts';
import type { Problems } from '../diagnostic/index.ts';
import { DBUS_STEPS } from './scope.ts';

/** `replicas` is the written name of a client with replicas: `tool` for `tool-0` …. */
export type Kind =
  | ('node' | 'bus' | 'group' | 'client' | 'replicas')
  /** A bus whose master is the D-Bus daemon. */
  | ('message bus' | 'client of a message bus' | 'program');

const PLURAL: Readonly<Record<Kind, string>> = {
  node: 'nodes',
  bus: 'buses',
  group: 'groups',
  client: 'clients',
  replicas: 'replicas',
  'message bus': 'message buses',
  'client of a message bus': 'clients of message buses',
  program: 'programs',
};

const MAX_LISTED = 12;
const ITS_STEPS = `A step of a message bus is ${either(DBUS_STEPS)}.`;
const MESSAGE_BUS = 'a message bus has master: { program: dbus-daemon }';

export class Names {
  readonly #kinds = new Map<string, Kind>();
  readonly #byKind = new Map<Kind, string[]>();
  readonly #broken: string[] = [];
  /** How often each client has been started. */
  readonly #lives = new Map<string, number>();
  readonly #problems: Problems;
  #slips = 0;

  constructor(problems: Problems) {
    this.#problems = problems;
  }

  /** Adds a name; reports an error and returns false if it is taken. */
  declare(kind: Kind, name: string, path: Path): boolean {
    const taken = this.#kinds.get(name);
    if (taken === undefined) this.#enter(kind, name);
    else {
      const message = `the name "${name}" is taken by a ${taken === 'replicas' ? 'client' : taken}`;
      const hint = 'Nodes, buses, groups and clients share one name space.';
      this.#problems.error(path, { code: 'duplicate-name', message, hint, onKey: true });
    }
    return taken === undefined;
  }

  /**
   * Adds the name of an entry that could not be read, as what it was meant to be: hints list it, and neither it nor a
   * name that derives from it is reported as unknown, or as something else.
   */
  declareBroken(kind: Kind, name: string): void {
    this.#broken.push(name);
    if (!this.#kinds.has(name)) this.#enter(kind, name);
  }

  #enter(kind: Kind, name: string): void {
    this.#kinds.set(name, kind);
    const list = this.#byKind.get(kind) ?? [];
    list.push(name);
    this.#byKind.set(kind, list);
  }

  /** What the name of a client stands for at this step: `camera`, then `camera.2` …. */
  incarnation(name: string): string {
    const lives = this.#lives.get(name);
    return lives === undefined ? name : `${name}.${lives}`;
  }

  /** The next incarnation; it can be looked up like a name of the file, and is never suggested. */
  startAgain(name: string): string {
    this.#lives.set(name, (this.#lives.get(name) ?? 1) + 1);
    const again = this.incarnation(name);
    this.#kinds.set(again, 'client');
    return again;
  }

  /** What a name of the file stands for, if anything. */
  kindOf(name: string): Kind | undefined {
    return this.#kinds.get(name);
  }

  of(kind: Kind): readonly string[] {
    return this.#byKind.get(kind) ?? [];
  }

  /**
   * The kind of `name` if it is one of `wanted`. Else it returns undefined, and reports an error unless that error
   * follows from another one. `madeUp` are generated names, which are valid although the file does not contain them.
   */
  find(name: string, wanted: readonly Kind[], path: Path, madeUp: readonly string[] = []): Kind | undefined {
    const kind = this.#kinds.get(name);
    if (kind !== undefined && wanted.includes(kind)) return kind;
    if (kind === 'message bus' && wanted.includes('bus')) {
      const message = `"${name}" is a message bus: it cannot have groups, and no fault or plain send can name its daemon`;
      const hint = path[0] === 'groups' ? 'Remove the group, or give it another bus.' : ITS_STEPS;
      this.#problems.error(path, { code: 'unknown-name', message, hint });
      return undefined;
    }
    // Steps for programs are steps of a message bus as well.
    const isElsewhere = kind === 'client of a message bus' && !wanted.includes('program');
    if (this.#excused(name, wanted)) return undefined;
    // To make a suggestion takes a look at every name, and a file may contain thousands of slips.
    if (++this.#slips > LIMITS.suggestions.most) {
      this.#problems.error(path, { code: 'unknown-name', message: `unknown name ${show(name)}` });
      return undefined;
    }
    const known = [...wanted.flatMap((each) => this.of(each)), ...madeUp];
    // A file without message buses need not learn that they exist.
    const kinds = wanted.filter((each) => each !== 'message bus' || this.of(each).length > 0);
    const what = kinds.filter((each) => each !== 'replicas').length === 1 ? (kinds[0] ?? 'client') : 'name';
    this.#problems.error(path, {
      code: 'unknown-name',
      message: this.#message(name, kind, isElsewhere ? 'name' : what),
      expected: isElsewhere ? undefined : this.#known(kinds, known),
      hint: isElsewhere ? ITS_STEPS : this.#hint(name, kind, kinds, known),
    });
    return undefined;
  }

  #message(name: string, kind: Kind | undefined, what: Kind | 'name'): string {
    if (kind === undefined && !this.#isMaster(name)) return `unknown ${what} ${show(name)}`;
    const found = kind === 'replicas' ? 'a set of replicas' : `a ${kind ?? 'master'}`;
    if (kind === 'client' && what === 'client of a message bus') return `"${name}" is not on a message bus`;
    return `"${name}" is ${found}, ${what === 'name' ? 'which cannot be used here' : `not a ${what}`}`;
  }

  #hint(
    name: string,
    kind: Kind | undefined,
    wanted: readonly Kind[],
    known: readonly string[],
  ): string | undefined {
    if (kind === 'replicas' && wanted.includes('group'))
      return `Name one of them, "${name}-0", or a group that they are all in.`;
    if (kind === 'replicas' && wanted.includes('client')) return `Name one of them: "${name}-0".`;
    if (kind === 'bus' && wanted.includes('client')) return `Did you mean "${masterOf(name)}"?`;
    if (this.#isMaster(name)) return undefined;
    const masters = this.of('bus').map(masterOf);
    const candidates = [...known, ...masters].filter((each) => each !== name);
    return kind === undefined ? didYouMean(name, candidates) : undefined;
  }

  #isMaster(name: string): boolean {
    return this.of('bus').some((bus) => masterOf(bus) === name);
  }

  #known(wanted: readonly Kind[], known: readonly string[]): string {
    const what = wanted.filter((kind) => kind !== 'replicas').map((kind) => PLURAL[kind]);
    const none = `this file has no ${what.join(' and no ')}`;
    const isMissed = wanted.includes('client of a message bus') && this.of('message bus').length === 0;
    if (known.length === 0) return isMissed ? `${none}: ${MESSAGE_BUS}` : none;
    const more = known.length > MAX_LISTED ? ` and ${known.length - MAX_LISTED} more` : '';
    return `${what.join(', ')} of this file: ${known.slice(0, MAX_LISTED).join(', ')}${more}`;
  }

  /** Whether a mistake in the section, or in the client that the replicas come from, has been reported. */
  #excused(name: string, wanted: readonly Kind[]): boolean {
    if (this.#broken.includes(name)) return true;
    if (wanted.some((kind) => kind !== 'replicas' && this.#sectionLost(PLURAL[kind]))) return true;
    return this.#broken.some(
      (base) => name.startsWith(`${base}-`) && /^\d+$/.test(name.slice(base.length + 1)),
    );
  }

  #sectionLost(section: string): boolean {
    return this.#problems.isBroken([section]) && !this.of(singular(section)).length;
  }
}

const singular = (plural: string): Kind =>
  (Object.keys(PLURAL) as Kind[]).find((kind) => PLURAL[kind] === plural) ?? 'client';
