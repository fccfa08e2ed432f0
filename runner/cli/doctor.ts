// SPDX-License-Identifier: MIT
/** `doctor`: one line per finding, each with its fix; exit code 4 if something necessary is missing. */

import { styleText } from 'node:util';
import { AddonLoadError, isSupported } from '../../native/lib/index.ts';
import { EXIT } from '../common/errors.ts';
import { neutral, neutralJson } from '../common/neutral.ts';
import { exposure, missing, requirements, status } from '../host/host.ts';
import { isCheckout } from '../host/paths.ts';
import { runningBackends } from '../provision/choose.ts';
import { isOrphan } from '../provision/labels.ts';
import { listRuns, type Run } from '../provision/runs.ts';
import { KERNELS } from '../provision/vm.ts';

export interface Finding {
  readonly about: string;
  readonly state: 'ok' | 'note' | 'missing';
  readonly text: string;
  readonly fix?: string;
}

export async function doctor(flags: { format: 'text' | 'json' }): Promise<void> {
  const findings = [tools(), ownKernel(), access(), ...(await hosts()), ...(await leftovers())];
  if (flags.format === 'json') console.log(neutralJson({ schemaVersion: 1, findings }, 2));
  else for (const f of findings) console.log(line(f));
  if (findings.some((f) => f.state === 'missing')) process.exitCode = EXIT.environment;
}

function tools(): Finding {
  const lacking = missing();
  const about = 'tools';
  if (lacking.length === 0)
    return { about, state: 'ok', text: `all ${requirements().length} programs of the vm backend are here` };
  const text = `missing: ${lacking.map((r) => `${r.command} (${r.why})`).join(', ')}`;
  return { about, state: 'missing', text, fix: 'sh images/setup' };
}

function ownKernel(): Finding {
  const support = isSupported();
  const about = 'kernel';
  if (support.supported)
    return { about, state: 'ok', text: `this machine's own kernel has AF_BUS (family ${support.family})` };
  const { reason, error } = support;
  const text =
    error instanceof AddonLoadError
      ? `whether this machine's own kernel has AF_BUS is not known: ${reason}`
      : `this machine's own kernel has no AF_BUS (${reason}); the vm backend brings one`;
  return { about, state: 'note', text };
}

function access(): Finding {
  const about = 'access';
  const found = KERNELS.map(exposure).find((one) => one !== null);
  return found
    ? { about, state: 'note', text: `other users can keep you out of a host: ${found.why}`, fix: found.hint }
    : { about, state: 'ok', text: 'nobody but you can connect to a host that you start' };
}

async function hosts(): Promise<readonly Finding[]> {
  return Promise.all(
    KERNELS.map(async (kernel): Promise<Finding> => {
      const now = await status({ kernel });
      const about = `host ${kernel}`;
      if (now.state === 'running') {
        const { release, pid, acceleratorReason, exposed } = now.host;
        const text = `running Linux ${release}, pid ${pid}; ${acceleratorReason}`;
        if (!exposed) return { about, state: 'ok', text };
        const why = `other users can keep you out of it: ${exposed.why}`;
        return { about, state: 'note', text: `${text}; ${why}`, fix: exposed.hint };
      }
      if (now.state === 'stale')
        return { about, state: 'note', text: now.reason, fix: `afbus-topo host stop --kernel ${kernel}` };
      return { about, state: 'note', text: `${now.state}; ${FIRST_USE}` };
    }),
  );
}

async function leftovers(): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const backend of await runningBackends()) {
    for (const run of await listRuns(backend)) {
      findings.push(aboutRun(run, backend.where.kernel));
    }
    backend.release();
  }
  return findings;
}

/** What `ps` shows as a state of its own, a node that ended or was removed, is a finding here. */
export function aboutRun(run: Run, kernel: string): Finding {
  const text = `${run.topology} (run ${run.run}, ${run.nodes.length} nodes, ${run.launcher}) on Linux ${kernel}`;
  const fix = `afbus-topo down ${run.run}`;
  if (isOrphan(run)) return { about: 'leftover', state: 'note', text: `${text}: its runner was killed`, fix };
  const ended = run.nodes
    .filter(({ state }) => state !== 'running')
    .map(({ name, state }) => `${name} ${state}`);
  // The nodes of a run that is still played come and go.
  if (ended.length === 0 || !run.kept) return { about: 'up', state: 'ok', text };
  return { about: 'up', state: 'note', text: `${text}, of which not running: ${ended.join(', ')}`, fix };
}

const FIRST_USE = isCheckout()
  ? 'a run starts it when it needs it'
  : 'only a checkout of the project can build and start it';

const MARKS = { ok: ['green', '✓'], note: ['yellow', '•'], missing: ['red', '✗'] } as const;

function line({ about, state, text, fix }: Finding): string {
  const [style, mark] = MARKS[state];
  return `${styleText(style, mark, { stream: process.stdout })} ${about.padEnd(10)} ${neutral(text)}${fix ? `\n             fix: ${neutral(fix)}` : ''}`;
}
