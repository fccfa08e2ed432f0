// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import { EnvironmentError, InvalidInput } from '../common/errors.ts';
import { shipped } from './package.ts';

const SUFFIX = '.topo.yaml';

/** `init`: writes a topology to start from, with a comment on each part. Never overwrites a file. */
export function init(named = `my${SUFFIX}`): void {
  const file = named.endsWith(SUFFIX) ? named : `${named.replace(/\.ya?ml$/, '')}${SUFFIX}`;
  try {
    writeFileSync(file, starter(nameOf(file), schemaFrom(file)), { flag: 'wx' });
  } catch (e) {
    throw unwritable(file, e as NodeJS.ErrnoException);
  }
  console.log(file);
  console.error(next(file));
}

function unwritable(file: string, { code, message }: NodeJS.ErrnoException): Error {
  if (code === 'EEXIST')
    return new InvalidInput(`${file} is there already, and nothing is overwritten`, 'name another file');
  if (code === 'ENOENT')
    return new InvalidInput(
      `there is no folder ${dirname(file)}`,
      `make it first: mkdir -p ${dirname(file)}`,
    );
  return new EnvironmentError(`cannot write ${file}: ${message}`, 'choose a folder that you may write to');
}

const next = (file: string): string => `
next:
  afbus-topo run --backend sim ${file}    play it on a simulated bus: milliseconds, no kernel
  afbus-topo plan ${file}                 what would be started and sent
  afbus-topo run ${file}                  play it on the real one
  afbus-topo graph --format svg ${file} > ${basename(file, SUFFIX)}.svg`;

/** Makes a valid name: lower-case letters, digits and dashes. */
const nameOf = (file: string): string =>
  basename(file, SUFFIX)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 63) || 'my-topology';

/** Path of the schema that came with this tool, for editors. */
const schemaFrom = (file: string): string =>
  relative(dirname(resolve(file)), shipped('docs/topology.schema.json'));

const starter = (name: string, schema: string): string => `# yaml-language-server: $schema=${schema}
#
# A sensor, a display that shows what it sends, and a logger that hears everything.
# Change something, and see what is said about it:  afbus-topo run --backend sim <this file>

apiVersion: afbus-topo/v1
name: ${name}

buses:
  cabin: {}                       # the runner supplies its master, which admits everybody

groups:
  displays: { prefix: 0x0001 }    # each client with an address of this prefix is a member

clients:                          # each is a process of its own, with one socket
  sensor: {}
  screen: { groups: [displays] }
  mirror: { groups: [displays], user: "1000:1000" }
  logger: { eavesdrop: true }

traffic:                          # played in order
  # To a group: each member gets one copy. What must happen is written below the send.
  - sensor -> displays: "42 km/h"
    expect: { recipients: [screen, mirror, logger] }

  # To one client, in the long form.
  - send: { from: screen, to: sensor, payload: "brighter, please", as: wish }
    expect: { recipients: [sensor, logger] }

  # Two senders at once. Everybody must see all messages in the same order.
  - parallel:
      - send: { from: sensor, to: displays, count: 100 }
        expect: { recipients: [displays, logger] }
      - send: { from: logger, to: cabin, count: 100 }     # to a bus: to everybody on it
        expect: { recipients: [cabin] }

  # A message that must fail, and reach nobody.
  - fault: { expel: mirror }
  - mirror -> screen: "am I still here?"
    expect: { error: EPIPE }
`;
