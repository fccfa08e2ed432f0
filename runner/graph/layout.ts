// SPDX-License-Identifier: MIT
/**
 * Positions of everything in a picture, in pixels. Nodes are in a row with their parties side by side, so that each
 * party has its own column down to the buses. Below them the buses are rails, each with its groups as lanes.
 */
import type { Party, Picture, PictureBus, PictureNode } from './picture.ts';

/** Width of a character in a 12 px monospace font, rounded up since fonts differ. */
export const CHAR = 7.4;
export const SMALL = 6.3;

const MARGIN = 20;
const HEAD = 56;
const NODE = { pad: 14, head: 26, gap: 18, least: 70 };
const CHIP = { pad: 10, gap: 12, line: 15, least: 54 };
const RAIL = { above: 40, lane: 22, below: 30, label: 34 };
const LEGEND = 30;
/** Height of a line of the description, and its characters. */
export const WORDS = 18;
const LONG = 90;

export interface Chip {
  readonly party: Party;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Horizontal position of its wire. */
  readonly middle: number;
}

export interface NodeBox {
  readonly name: string;
  readonly x: number;
  readonly width: number;
  readonly chips: readonly Chip[];
}

export interface Lane {
  readonly name: string;
  readonly prefix: string;
  readonly y: number;
  /** Index of its colour. */
  readonly hue: number;
}

export interface Rail {
  readonly bus: PictureBus;
  readonly y: number;
  readonly lanes: readonly Lane[];
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** The description, line by line. */
  readonly words: readonly string[];
  /** Where rails begin; their names are left of it. */
  readonly left: number;
  readonly right: number;
  readonly nodes: readonly NodeBox[];
  readonly nodesTop: number;
  readonly nodesHeight: number;
  readonly rails: readonly Rail[];
  readonly legendTop: number;
}

export function layOut(picture: Picture): Layout {
  const left = MARGIN + labelWidth(picture.buses);
  const lines = Math.max(1, ...picture.nodes.flatMap((n) => n.parties.map((p) => linesOf(p).length)));
  const chipHeight = CHIP.line * lines + CHIP.pad;
  const words = wrap(picture.description);
  const nodesTop = HEAD + words.length * WORDS;
  const nodesHeight = NODE.head + chipHeight + NODE.pad;
  const nodes = placeNodes(picture.nodes, left + NODE.gap, nodesTop + NODE.head, chipHeight);
  const rails = placeRails(picture.buses, nodesTop + nodesHeight + RAIL.above);
  const last = nodes.at(-1);
  const text = MARGIN + Math.max(picture.name.length * 10, ...words.map(textWidth));
  const right = Math.max(last ? last.x + last.width + NODE.gap : left, text, left + 240);
  const legendTop = endOf(rails) + RAIL.below;
  return {
    width: Math.ceil(right + MARGIN),
    height: legendTop + LEGEND,
    words,
    left,
    right,
    nodes,
    nodesTop,
    nodesHeight,
    rails,
    legendTop,
  };
}

/** The lines in a chip: its name, then everything unusual about it. */
export const linesOf = ({ label, count, notes }: Party): string[] => [
  label,
  ...(count > 1 ? [`${count} clients`] : []),
  ...notes,
];

/** The lines below the name of a bus. */
export const factsOf = ({ path, notes }: PictureBus): string => [path, ...notes].join(' · ');

function wrap(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = `${lines.at(-1) ?? ''} ${word}`;
    if (lines.length === 0 || longer.length > LONG) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

const textWidth = (text: string): number => [...text].length * CHAR;

function labelWidth(buses: readonly PictureBus[]): number {
  const widths = buses.flatMap((bus) => [
    bus.name.length * 8.4,
    [...factsOf(bus)].length * SMALL,
    ...bus.groups.map(({ name, prefix }) => (name.length + prefix.length + 1) * SMALL),
  ]);
  return Math.max(RAIL.label, ...widths) + 14;
}

function placeNodes(nodes: readonly PictureNode[], start: number, top: number, height: number): NodeBox[] {
  let x = start;
  return nodes.map(({ name, parties }) => {
    const chips = placeChips(parties, x + NODE.pad, top, height);
    const last = chips.at(-1);
    const inside = last ? last.x + last.width - x + NODE.pad : 0;
    const box = { name, x, width: Math.max(inside, textWidth(name) + 2 * NODE.pad, NODE.least), chips };
    x += box.width + NODE.gap;
    return box;
  });
}

function placeChips(parties: readonly Party[], start: number, y: number, height: number): Chip[] {
  let x = start;
  return parties.map((party) => {
    const [name = '', ...rest] = linesOf(party);
    const text = Math.max(textWidth(name), ...rest.map((line) => line.length * SMALL));
    const width = Math.max(CHIP.least, text + 2 * CHIP.pad);
    const chip = { party, x, y, width, height, middle: x + width / 2 };
    x += width + CHIP.gap;
    return chip;
  });
}

function placeRails(buses: readonly PictureBus[], start: number): Rail[] {
  let y = start;
  let hue = 0;
  return buses.map((bus) => {
    // The facts of a bus are below its name, so its lanes begin lower.
    const lanes = bus.groups.map((group, n) => ({ ...group, y: y + 34 + n * RAIL.lane, hue: hue++ }));
    const rail = { bus, y, lanes };
    y = (lanes.at(-1)?.y ?? y + 18) + RAIL.above;
    return rail;
  });
}

const endOf = (rails: readonly Rail[]): number => {
  const last = rails.at(-1);
  return last ? (last.lanes.at(-1)?.y ?? last.y + 14) : 0;
};
