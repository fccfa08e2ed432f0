// SPDX-License-Identifier: MIT
/**
 * Entry of the bundle that every node runs.
 *
 *   agent.cjs node NAME    the agent of node NAME
 *   agent.cjs agent NAME   a client or master, or the clients of pack NAME; started by the node agent
 *
 * Each agent is a process of Node, and hundreds may start at once. So the bundle is CommonJS, where importing a part of
 * node:fs does not load the rest of it, and an agent loads only what its mode needs.
 */

const [mode, name] = process.argv.slice(2);

if (mode === 'agent' && name) void import('./process.ts').then(({ runAgents }) => runAgents());
else if (mode === 'node' && name) void import('./node-process.ts').then(({ runNodeAgent }) => runNodeAgent());
else {
  console.error('usage: agent.cjs node|agent NAME (started by afbus-topo, not by hand)');
  process.exit(2);
}
