// SPDX-License-Identifier: MIT
/** What a random bus of D-Bus has: rules and messages of a small pool, so that many of them meet. */

import type { Random } from '../common/random.ts';
import type { Written } from './scenario.ts';

const RULES = [
  '',
  "type='signal'",
  "type='method_call'",
  "interface='org.example.A',member='One'",
  "member='Two'",
  "path='/a'",
  "path_namespace='/a'",
  "arg0='x'",
  "arg1path='/a/'",
  "arg0namespace='org.example'",
  "sender=':0.1'",
  "sender='org.example.Name'",
  'type=signal,path_namespace=/b,eavesdrop=true',
];

const ARGS: readonly Written[] = ['x', 'y', 'org.example.Thing', { path: '/a/b' }, { path: '/b' }, 7, -1];

export const randomRule = (random: Random): string => random.pick(RULES);

export const randomRules = (random: Random): readonly string[] =>
  Array.from({ length: random.below(3) }, () => randomRule(random));

export function randomMessage(random: Random): Written {
  const args = Array.from({ length: random.below(3) }, () => random.pick(ARGS));
  return {
    dbus: {
      ...(random.oneIn(4) && { type: 'method_call' }),
      path: random.pick(['/a', '/a/b', '/b']),
      interface: random.pick(['org.example.A', 'org.example.B']),
      member: random.pick(['One', 'Two']),
      ...(args.length > 0 && { args }),
      ...(random.oneIn(2) && { endian: 'big' }),
    },
  };
}
