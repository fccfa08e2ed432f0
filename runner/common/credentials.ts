// SPDX-License-Identifier: MIT
/** Who a process is to the kernel, as SO_PEERCRED and SCM_CREDENTIALS tell it. */
export interface Credentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}
