// SPDX-License-Identifier: MIT
/** A picture as a Mermaid flowchart, which many forges and wikis render in place. */
import { neutralBlank } from '../common/neutral.ts';
import type { Party, Picture, PictureBus } from './picture.ts';

export function mermaid(picture: Picture): string {
  const parties = picture.nodes.flatMap((node) => node.parties);
  return [
    ...(picture.description === '' ? [] : [`%% ${neutralBlank(picture.description)}`]),
    'flowchart TB',
    ...picture.nodes.flatMap((node) => [
      `  subgraph ${id('node', node.name)}["${quoted(node.name)}"]`,
      ...node.parties.map((party) => `    ${box(party)}`),
      '  end',
    ]),
    ...picture.buses.flatMap((bus) => [`  ${rail(bus)}`, ...lanes(bus)]),
    ...parties.flatMap(wires).map((wire) => `  ${wire}`),
    '',
  ].join('\n');
}

/** Names contain no `_`, so different names stay different. */
const id = (kind: string, name: string): string => `${kind}_${name.replace(/[-.]/g, '_')}`;
const idOf = ({ kind, name, bus }: Party): string =>
  kind === 'master' ? id('master', bus) : id('client', name);

function box(party: Party): string {
  const many = party.count > 1 ? [`${party.count} clients`] : [];
  const text = [party.label, ...many, ...party.notes].map(quoted).join('<br/>');
  return party.kind === 'master' ? `${idOf(party)}[["${text}"]]` : `${idOf(party)}["${text}"]`;
}

const rail = ({ name, path, notes }: PictureBus): string =>
  `${id('bus', name)}{{"${[name, path, ...notes].map(quoted).join('<br/>')}"}}`;

const lanes = ({ name, groups }: PictureBus): string[] =>
  groups.flatMap((group) => [
    `  ${id('group', group.name)}(["${quoted(group.name)}<br/>${group.prefix}"])`,
    `  ${id('group', group.name)} --- ${id('bus', name)}`,
  ]);

function wires(party: Party): string[] {
  const [self, bus] = [idOf(party), id('bus', party.bus)];
  if (party.kind === 'master') return [`${self} ==> ${bus}`];
  if (party.standing !== 'joined') return [`${self} -. "${party.notes[0]}" .- ${bus}`];
  const ear = party.eavesdrops ? [`${bus} -- "everything" --> ${self}`] : [`${self} --- ${bus}`];
  return [...ear, ...party.groups.map((group) => `${self} --- ${id('group', group)}`)];
}

/** Escapes for Mermaid: # begins an escape, and labels are HTML. */
const quoted = (text: string): string =>
  neutralBlank(text).replace(/[#"&<>`\\[\]{}()|]/g, (char) => `#${char.codePointAt(0)};`);
