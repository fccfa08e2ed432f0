// SPDX-License-Identifier: MIT
/** The AF_BUS host: a virtual machine whose kernel has AF_BUS, with a Docker Engine, for its owner alone. */

export { exposure } from './access.ts';
export { agentImage, type NodeImage } from './agent-image.ts';
export { answer } from './answer.ts';
export { channel, EngineAgent, runInHost } from './channel.ts';
export { clean } from './clean.ts';
export { consoleLines } from './console.ts';
export { build } from './image.ts';
export { certificatesOf } from './reach.ts';
export { checkRequirements, missing, type Requirement, requirements } from './requirements.ts';
export { shell } from './shell.ts';
export { start, status, stop } from './start.ts';
export type {
  Accelerator,
  BuildOptions,
  Exposure,
  Host,
  HostImage,
  HostOptions,
  HostStatus,
  KernelVersion,
  Progress,
  ProgressUpdate,
  StartOptions,
} from './types.ts';
export { type Guard, watch } from './watch.ts';
