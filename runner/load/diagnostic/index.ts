// SPDX-License-Identifier: MIT
export { byPlace, diagnostic, wholeFile } from './diagnostic.ts';
export { Problems } from './problems.ts';
export { type RenderOptions, renderDiagnostics } from './render.ts';
