// SPDX-License-Identifier: MIT
/** The identity of a process, as in SO_PEERCRED and SCM_CREDENTIALS. */
export interface Credentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}
