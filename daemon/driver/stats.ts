// SPDX-License-Identifier: MIT
/** org.freedesktop.DBus.Debug.Stats. */
import { type Arg, DRIVER, type Value } from '../../runner/dbus/index.ts';
import type { Call } from './call.ts';
import type { Driver } from './driver.ts';
import { DriverError } from './error.ts';
import { string, uint32 } from './message.ts';
import type { Peer } from './peer.ts';

/** The greatest value that each figure has had. */
export class Peaks {
  matchRules = 0;
  matchRulesPerConnection = 0;
  busNames = 0;
  busNamesPerConnection = 0;

  note(driver: Driver): void {
    const { rules, names } = totals(driver);
    this.matchRules = Math.max(this.matchRules, rules);
    this.busNames = Math.max(this.busNames, names);
  }

  noteOf(peer: Peer): void {
    this.matchRulesPerConnection = Math.max(this.matchRulesPerConnection, peer.nrRules);
    this.busNamesPerConnection = Math.max(this.busNamesPerConnection, namesOf(peer));
  }
}

/** The unique name counts as well. */
const namesOf = (peer: Peer): number => peer.claims.size + 1;

function totals(driver: Driver) {
  const rules = driver.active().reduce((sum, { nrRules }) => sum + nrRules, 0);
  return { rules, names: driver.active().length + driver.names.all().length };
}

export function getStats({ driver }: Call): readonly Arg[] {
  const { rules, names } = totals(driver);
  const { peaks } = driver;
  return dict({
    ActiveConnections: driver.active().length,
    IncompleteConnections: driver.incomplete,
    MatchRules: rules,
    PeakMatchRules: peaks.matchRules,
    PeakMatchRulesPerConnection: peaks.matchRulesPerConnection,
    BusNames: names,
    PeakBusNames: peaks.busNames,
    PeakBusNamesPerConnection: peaks.busNamesPerConnection,
  });
}

export function getConnectionStats(call: Call): readonly Arg[] {
  const { driver } = call;
  const name = call.string(0);
  if (name === DRIVER)
    throw new DriverError(
      'InvalidArgs',
      `GetConnectionStats is not meaningful for the message bus "${DRIVER}" itself`,
    );
  const about = driver.ownerOf(name);
  if (about === undefined)
    throw new DriverError('NameHasNoOwner', `Could not get statistics of name '${name}': no such name`);
  return dict({
    ...{ MatchRules: about.nrRules, BusNames: namesOf(about), UniqueName: about.name },
    ...driver.traffic(about),
  });
}

export function getAllMatchRules({ driver }: Call): readonly Arg[] {
  const rules = driver.active().map(({ name, ruleTexts }): [Value, Value] => [name, ruleTexts]);
  return [{ type: 'a{sas}', value: new Map(rules) }];
}

function dict(values: Readonly<Record<string, number | string>>): readonly Arg[] {
  const entries = Object.entries(values).map(([key, value]): [string, Arg] => [
    key,
    typeof value === 'number' ? uint32(value) : string(value),
  ]);
  return [{ type: 'a{sv}', value: new Map(entries) }];
}
