// SPDX-License-Identifier: MIT
export type { Diagnostic, DiagnosticCode } from '../common/diagnostic.ts';
export { configOf } from './config.ts';
export { type RenderOptions, renderDiagnostics } from './diagnostic/index.ts';
export { type Loaded, type LoadOptions, load } from './load.ts';
export { readStdin } from './yaml/index.ts';
