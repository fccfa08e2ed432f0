// SPDX-License-Identifier: MIT
/**
 * The first process of a node. What lost its parent in a node becomes its child, and stays as a zombie until the node
 * ends if nobody waits for it. A node agent waits for its agents only. A shell waits for all, while it waits for one.
 */

/** A script for `sh -c` that plays `script`. With nothing after it, the shell would become the last command of it. */
export const reaping = (script: string): string => `${script}; exit $?`;
