// SPDX-License-Identifier: MIT
export { configOf } from './config.ts';
export type { Diagnostic, DiagnosticCode } from './diagnostic.ts';
export { type Loaded, type LoadOptions, load } from './load.ts';
export { readStdin } from './read.ts';
export { type RenderOptions, renderDiagnostics } from './render.ts';
