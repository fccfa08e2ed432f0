// SPDX-License-Identifier: MIT
/** A picture in the language of Graphviz. */
import { neutralBlank } from '../common/neutral.ts';
import type { Party, Picture, PictureBus } from './picture.ts';

export function dot(picture: Picture): string {
  const parties = picture.nodes.flatMap((node) => node.parties);
  return [
    `graph ${quoted(picture.name)} {`,
    ...(picture.description === '' ? [] : [`  label=${quoted(picture.description)};`]),
    '  rankdir=TB; node [fontname="monospace"]; edge [fontname="monospace"];',
    ...picture.nodes.flatMap((node, n) => [
      `  subgraph cluster_${n} {`,
      `    label=${quoted(node.name)}; style=rounded;`,
      ...node.parties.map((party) => `    ${box(party)}`),
      '  }',
    ]),
    ...picture.buses.flatMap((bus) => [`  ${rail(bus)}`, ...lanes(bus)]),
    ...parties.flatMap(wires).map((wire) => `  ${wire}`),
    '}',
    '',
  ].join('\n');
}

const idOf = ({ kind, name }: Pick<Party, 'kind' | 'name'>): string => quoted(`${kind} ${name}`);
const busId = (name: string): string => quoted(`bus ${name}`);
const groupId = (name: string): string => quoted(`group ${name}`);

function box(party: Party): string {
  const many = party.count > 1 ? [`${party.count} clients`] : [];
  const label = lines([party.label, ...many, ...party.notes]);
  const shape = party.kind === 'master' ? 'box, style=bold' : 'box';
  return `${idOf(party)} [label=${label}, shape=${shape}];`;
}

const rail = ({ name, path, notes }: PictureBus): string =>
  `${busId(name)} [label=${lines([name, path, ...notes])}, shape=hexagon];`;

const lanes = ({ name, groups }: PictureBus): string[] =>
  groups.flatMap((group) => [
    `  ${groupId(group.name)} [label=${lines([group.name, group.prefix])}, shape=ellipse];`,
    `  ${groupId(group.name)} -- ${busId(name)};`,
  ]);

function wires(party: Party): string[] {
  const [self, bus] = [idOf(party), busId(party.bus)];
  if (party.kind === 'master') return [`${self} -- ${bus} [style=bold];`];
  if (party.standing !== 'joined') return [`${self} -- ${bus} [style=dashed];`];
  const ear = party.eavesdrops ? ' [label="everything", dir=back]' : '';
  return [`${self} -- ${bus}${ear};`, ...party.groups.map((group) => `${self} -- ${groupId(group)};`)];
}

const escaped = (text: string): string => neutralBlank(text).replace(/["\\]/g, '\\$&');
const quoted = (text: string): string => `"${escaped(text)}"`;
const lines = (texts: readonly string[]): string => `"${texts.map(escaped).join('\\n')}"`;
