// SPDX-License-Identifier: MIT
/** A simulated site, one node of which lies: its reports come by the line that real nodes have, as bytes. */

import { PassThrough } from 'node:stream';
import type { NodeReport } from '../../runner/agent/protocol.ts';
import type { Random } from '../../runner/common/random.ts';
import { connectNode } from '../../runner/provision/connection.ts';
import type { Lab, NodeConnection } from '../../runner/provision/lab.ts';
import type { Site } from '../../runner/provision/site.ts';
import { simSite } from '../../runner/sim/index.ts';
import { lie } from './lies.ts';

export interface Liar {
  readonly site: Site;
  /** Lies so far. */
  readonly lies: () => number;
}

/** Of what others said, that much is remembered. */
const REMEMBERED = 50;
/** After each fair line, up to that many lies. */
const MAX_AT_ONCE = 3;

export function liarSite(random: Random, seed: number, node: string): Liar {
  const fair = simSite({ seed });
  const [lines, names] = [[] as string[], ['nobody', 'constructor', '__proto__', '@']];
  const patience = 2 + random.below(40);
  const plausible = !random.oneIn(3);
  let total = 0;
  /** What the node says instead of this. */
  const said = (line: string): string => {
    const lies = random.oneIn(patience) ? 1 + random.below(MAX_AT_ONCE) : 0;
    total += lies;
    const heard = { lines, names, plausible };
    const all = Array.from({ length: lies }, () => lie(random, line, heard)).join('');
    return lies > 0 && random.oneIn(4) ? all : `${line}\n${all}`;
  };
  const start: Site['start'] = async (plan, owner, onNode): Promise<Lab> => {
    names.push(
      ...plan.agents.map(({ name }) => name),
      ...plan.agents.map(({ name }) => `cabin.master@${name}`),
    );
    const lab = await fair.start(plan, owner, onNode);
    const remember = (line: string) => {
      lines.push(line);
      if (lines.length > REMEMBERED) lines.shift();
      return line;
    };
    const nodes = await Promise.all(
      Array.from(lab.nodes, async ([name, connection]) => {
        const says = name === node ? said : (line: string) => `${line}\n`;
        return [name, await byLine(connection, (line) => says(remember(line)))] as const;
      }),
    );
    return { ...lab, nodes: new Map(nodes) };
  };
  return { site: { ...fair, start }, lies: () => total };
}

/** The same connection through the reader of bytes; what it hears is handed on at once, as simulated time asks for. */
async function byLine(connection: NodeConnection, said: (line: string) => string): Promise<NodeConnection> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const connecting = connectNode(connection.name, { input, output });
  const say = (text: string) => void output.emit('data', Buffer.from(text));
  say(`${JSON.stringify(connection.hello)}\n`);
  const read = await connecting;
  connection.onReport((report: NodeReport) => say(said(JSON.stringify(report))));
  return {
    ...read,
    tell: connection.tell,
    release: () => {
      read.release();
      connection.release();
    },
  };
}
