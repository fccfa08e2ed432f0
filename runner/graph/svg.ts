// SPDX-License-Identifier: MIT
/** A picture as a self-contained SVG: no script, font or renderer; light or dark like the reader's system. */
import { neutralBlank } from '../common/neutral.ts';
import {
  type Chip,
  factsOf,
  type Lane,
  type Layout,
  layOut,
  linesOf,
  type NodeBox,
  type Rail,
  WORDS,
} from './layout.ts';
import type { Party, Picture } from './picture.ts';

export function svg(picture: Picture): string {
  const layout = layOut(picture);
  const { width, height, nodes, rails } = layout;
  const chips = nodes.flatMap((node) => node.chips);
  // The name of a combination contains characters that an id may not have.
  const id = picture.name.replace(/[^a-z0-9-]+/g, '-');
  const body = [
    ...heading(picture, layout),
    ...chips.flatMap((chip) => wire(chip, rails)),
    ...rails.flatMap((rail) => railOf(rail, layout, chips)),
    ...chips.flatMap((chip) => ends(chip, rails)),
    ...nodes.flatMap((node) => nodeBox(node, layout)),
    ...legend(
      chips.map(({ party }) => party),
      layout,
    ),
  ];
  return `<!-- SPDX-License-Identifier: MIT -->
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="${id}-title ${id}-desc">
  <title id="${id}-title">${escaped(picture.name)}</title>
  <desc id="${id}-desc">${escaped(inWords(picture))}</desc>
  <style>${STYLE}</style>
${body.map((line) => `  ${line}`).join('\n')}
</svg>
`;
}

/** Colours of groups, which repeat if there are more groups. */
const HUES = ['#0969da', '#bc4c00', '#1a7f37', '#8250df', '#bf3989', '#9a6700', '#0a7d8c', '#57606a'];
const DARK_HUES = ['#58a6ff', '#f0883e', '#3fb950', '#bc8cff', '#f778ba', '#d29922', '#39c5cf', '#8b949e'];

const hueRules = (hues: readonly string[]): string =>
  hues.map((hue, n) => `.g${n}{stroke:${hue}}text.g${n},circle.g${n}{fill:${hue};stroke:none}`).join('');

const STYLE = [
  'svg{background:#fff;font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}',
  'text{fill:#1f2328}.big{font-size:16px;font-weight:600}.bold{font-weight:600;font-size:13.5px}',
  '.small{font-size:10.2px}.dim{fill:#59636e}.middle{text-anchor:middle}.end{text-anchor:end}',
  '.node{fill:#f6f8fa;stroke:#d1d9e0}.chip{fill:#fff;stroke:#818b98}.master{fill:#1f2328;stroke:#1f2328}',
  'text.on-master{fill:#fff}.wire{stroke:#818b98;fill:none}.off{stroke-dasharray:3 4}.thick{stroke-width:3}',
  '.rail{stroke:#1f2328;stroke-width:6;stroke-linecap:round}.lane{stroke-width:3;stroke-linecap:round}',
  '.dot{fill:#1f2328}.ring{fill:#fff;stroke:#1f2328;stroke-width:2.5}.open{fill:#fff;stroke:#818b98}',
  hueRules(HUES),
  '@media(prefers-color-scheme:dark){svg{background:#0d1117}text{fill:#f0f6fc}.dim{fill:#9198a1}',
  '.node{fill:#151b23;stroke:#3d444d}.chip{fill:#0d1117;stroke:#656c76}.master{fill:#f0f6fc;stroke:#f0f6fc}',
  'text.on-master{fill:#0d1117}.wire{stroke:#656c76}.rail{stroke:#f0f6fc}.dot{fill:#f0f6fc}',
  `.ring{fill:#0d1117;stroke:#f0f6fc}.open{fill:#0d1117;stroke:#656c76}${hueRules(DARK_HUES)}}`,
].join('');

const heading = ({ name }: Picture, { words }: Layout): string[] => [
  text(20, 32, name, 'big'),
  ...words.map((line, i) => text(20, 54 + i * WORDS, line, 'dim')),
];

/** The line from a chip to its bus and on to its groups; for a client that is not on the bus it ends before the bus. */
function wire({ party, middle, y, height }: Chip, rails: readonly Rail[]): string[] {
  const rail = railUnder(party, rails);
  if (rail === undefined) return [];
  const from = y + height;
  if (party.standing !== 'joined') return [line(middle, from, middle, rail.y - 16, 'wire off')];
  const lowest = lanesOf(party, rail).at(-1);
  const down = lowest ? [line(middle, rail.y, middle, lowest.y, 'wire')] : [];
  return [line(middle, from, middle, rail.y, party.kind === 'master' ? 'wire thick' : 'wire'), ...down];
}

function railOf(rail: Rail, { left, right }: Layout, chips: readonly Chip[]): string[] {
  const { bus, y, lanes } = rail;
  return [
    line(left, y, right, y, 'rail'),
    text(left - 12, y + 4, bus.name, 'bold end'),
    text(left - 12, y + 18, factsOf(bus), 'small dim end'),
    ...lanes.flatMap((lane) => laneOf(lane, left, chips)),
  ];
}

function laneOf(lane: Lane, left: number, chips: readonly Chip[]): string[] {
  const hue = hueOf(lane);
  const members = chips.filter(
    ({ party }) => party.standing === 'joined' && party.groups.includes(lane.name),
  );
  const ends = members.map(({ middle }) => middle);
  const label = text(left - 12, lane.y + 4, `${lane.name} ${lane.prefix}`, `small ${hue} end`);
  if (ends.length === 0) return [label];
  return [label, line(left, lane.y, Math.max(...ends), lane.y, `lane ${hue}`)];
}

/** The end of a wire: a square for the master, a dot for a client on the bus, a ring for an eavesdropper. */
function ends({ party, middle }: Chip, rails: readonly Rail[]): string[] {
  const rail = railUnder(party, rails);
  if (rail === undefined) return [];
  if (party.kind === 'master') return [square(middle, rail.y)];
  if (party.standing !== 'joined') return [circle(middle, rail.y - 12, 4, 'open')];
  const mark = party.eavesdrops ? circle(middle, rail.y, 7, 'ring') : circle(middle, rail.y, 5.5, 'dot');
  return [mark, ...lanesOf(party, rail).map((lane) => circle(middle, lane.y, 4.5, hueOf(lane)))];
}

function nodeBox({ name, x, width, chips }: NodeBox, { nodesTop, nodesHeight }: Layout): string[] {
  return [
    `<rect class="node" x="${n(x)}" y="${n(nodesTop)}" width="${n(width)}" height="${n(nodesHeight)}" rx="8"/>`,
    text(x + 12, nodesTop + 17, name, 'dim'),
    ...chips.flatMap(chipBox),
  ];
}

function chipBox({ party, x, y, width, height, middle }: Chip): string[] {
  const [name = '', ...rest] = linesOf(party);
  const on = party.kind === 'master' ? ' on-master' : '';
  const dim = on === '' ? ' dim' : on;
  const top = y + (height - (rest.length + 1) * 15) / 2 + 11.5;
  const box = party.kind === 'master' ? 'master' : `chip${party.standing === 'joined' ? '' : ' off'}`;
  const frames =
    party.count > 1 ? [rect(x + 4, y - 4, width, height, box), rect(x, y, width, height, box)] : [];
  return [
    '<g>',
    `  <title>${escaped([...linesOf(party), ...party.groups.map((group) => `in ${group}`)].join(', '))}</title>`,
    ...(frames.length > 0 ? frames : [rect(x, y, width, height, box)]).map((frame) => `  ${frame}`),
    `  ${text(middle, top, name, `middle${on}`)}`,
    ...rest.map((words, i) => `  ${text(middle, top + 15 * (i + 1), words, `small middle${dim}`)}`),
    '</g>',
  ];
}

function legend(parties: readonly Party[], { left, legendTop }: Layout): string[] {
  const marks: [boolean, (x: number) => string, string][] = [
    [parties.some((p) => p.kind === 'master'), (x) => square(x, legendTop), 'master'],
    [parties.some((p) => isOn(p) && !p.eavesdrops), (x) => circle(x, legendTop, 5.5, 'dot'), 'on the bus'],
    [parties.some((p) => p.eavesdrops), (x) => circle(x, legendTop, 7, 'ring'), 'hears everything'],
    [parties.some((p) => p.standing !== 'joined'), (x) => circle(x, legendTop, 4, 'open'), 'not on the bus'],
  ];
  let x = left + 8;
  return marks
    .filter(([shown]) => shown)
    .flatMap(([, mark, words]) => {
      const at = x;
      x += 40 + words.length * 6.3;
      return [mark(at), text(at + 13, legendTop + 3.5, words, 'small dim')];
    });
}

const isOn = ({ kind, standing }: Party): boolean => kind === 'client' && standing === 'joined';

/** The text for readers who cannot see the picture. */
function inWords({ description, buses, nodes }: Picture): string {
  const parties = nodes.flatMap((node) => node.parties.map((party) => ({ ...party, node: node.name })));
  const sentences = buses.map(({ name }) => {
    const all = parties
      .filter(({ bus }) => bus === name)
      .map((party) => {
        const groups = party.groups.length > 0 ? [`in ${party.groups.join(' and ')}`] : [];
        return [`${party.label} on ${party.node}`, ...groups, ...party.notes].join(', ');
      });
    return `Bus ${name}: ${all.join('; ')}.`;
  });
  return [description, ...sentences].join(' ').trim();
}

const railUnder = ({ bus }: Party, rails: readonly Rail[]): Rail | undefined =>
  rails.find((rail) => rail.bus.name === bus);
const lanesOf = ({ groups }: Party, { lanes }: Rail): Lane[] =>
  lanes.filter(({ name }) => groups.includes(name));
const hueOf = ({ hue }: Lane): string => `g${hue % HUES.length}`;

const n = (value: number): string => String(Math.round(value * 10) / 10);
const line = (x1: number, y1: number, x2: number, y2: number, style: string): string =>
  `<line class="${style}" x1="${n(x1)}" y1="${n(y1)}" x2="${n(x2)}" y2="${n(y2)}"/>`;
const circle = (x: number, y: number, r: number, style: string): string =>
  `<circle class="${style}" cx="${n(x)}" cy="${n(y)}" r="${r}"/>`;
const rect = (x: number, y: number, width: number, height: number, style: string): string =>
  `<rect class="${style}" x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="5"/>`;
const square = (x: number, y: number): string =>
  `<rect class="dot" x="${n(x - 6.5)}" y="${n(y - 6.5)}" width="13" height="13" rx="2"/>`;
const text = (x: number, y: number, words: string, style: string): string =>
  `<text class="${style}" x="${n(x)}" y="${n(y)}">${escaped(words)}</text>`;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
/** XML cannot represent control characters. */
const escaped = (words: string): string =>
  neutralBlank(words).replace(/[&<>"]/g, (char) => ENTITIES[char] ?? char);
