// SPDX-License-Identifier: MIT
/** What something takes. */

/** Of this process on a processor: what else the machine is busy with does not count. */
export async function seconds(work: () => unknown): Promise<number> {
  const started = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1e6;
}
