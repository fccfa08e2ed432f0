// SPDX-License-Identifier: MIT
/** Uses KVM if it works, else TCG. An open of /dev/kvm proves nothing: on some machines a guest then hangs at 100 %. */

import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Accelerator } from './types.ts';

export interface Choice {
  readonly accelerator: Accelerator;
  /** Why this accelerator, in one line for people. */
  readonly reason: string;
}

const tcg = (why: string): Choice => ({ accelerator: 'tcg', reason: `TCG (emulation): ${why}` });

/**
 * `probe` boots a kernel under KVM with a deadline, and is asked last. It resolves with null if the kernel booted, else
 * with what went wrong.
 */
export async function chooseAccelerator(probe: () => Promise<string | null>): Promise<Choice> {
  const cannot = cannotUseKvm();
  if (cannot) return tcg(cannot);
  const failed = await probe();
  return failed ? tcg(`the test boot with KVM failed: ${failed}`) : { accelerator: 'kvm', reason: 'KVM' };
}

function cannotUseKvm(): string | null {
  if (process.env.AFBUS_ACCELERATOR === 'tcg') return 'AFBUS_ACCELERATOR=tcg';
  if (!/^flags\s*:.*\b(vmx|svm)\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'))) {
    return 'the processor shows no virtualisation (vmx or svm)';
  }
  try {
    closeSync(openSync('/dev/kvm', 'r+'));
    return null;
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException;
    return code === 'EACCES' ? 'no permission on /dev/kvm (join the group kvm)' : `/dev/kvm: ${code}`;
  }
}

/** A saved machine depends on the processor's model as well as on the accelerator. */
export function processorModel(): string {
  const info = readFileSync('/proc/cpuinfo', 'utf8');
  return /^model name\s*:\s*(.*)$/m.exec(info)?.[1] ?? 'unknown';
}
