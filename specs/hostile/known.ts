// SPDX-License-Identifier: MIT
/** A topology of the project, spoiled. Together they have nearly every key of the language, later ones as well. */

import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { inProject } from '../../runner/host/paths.ts';
import { document, name, type Spoiler, spoiled, type Value } from './spoiler.ts';
import { hostileText } from './strings.ts';

type File = { readonly [key: string]: Value };

const FOLDER = inProject('topologies');
const FILES = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.topo.yaml'))
  .sort();

export const knownText = (random: Spoiler): string => document(spoiledMap(random, read(random.pick(FILES))));

const read = (file: string): File =>
  parse(readFileSync(`${FOLDER}/${file}`, 'utf8'), { merge: true }) as File;

/** Most drawings spoil a place or two of the hundred that a file has. */
const RARITY = 40;

const spoiledMap = (random: Spoiler, map: File): File =>
  Object.fromEntries(
    Object.entries(map)
      .filter(() => !random.spoils(RARITY))
      .map(([key, value]) => [name(random, key), isFree(key) ? free(random, value) : inside(random, value)]),
  );

function inside(random: Spoiler, value: Value): Value {
  if (random.spoils(RARITY)) return spoiled(random, value, 0);
  if (Array.isArray(value)) return value.flatMap((each) => times(random, inside(random, each)));
  if (typeof value === 'object' && value !== null) return spoiledMap(random, value as File);
  return value;
}

/** It is there once; if it is spoiled, never or several times. */
const times = (random: Spoiler, value: Value): readonly Value[] =>
  random.spoils(RARITY) ? Array.from({ length: random.below(4) }, () => value) : [value];

/** Of texts that anybody may choose, whatever else is in the file. */
const isFree = (key: string): boolean =>
  ['description', 'payload', 'output', 'args', 'program'].includes(key) || key.includes('->');

function free(random: Spoiler, value: Value): Value {
  if (typeof value === 'string') return random.oneIn(3) ? hostileText(random) : value;
  return Array.isArray(value) ? value.map((each) => free(random, each)) : value;
}
