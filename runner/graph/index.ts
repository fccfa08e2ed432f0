// SPDX-License-Identifier: MIT
export { dot } from './dot.ts';
export { mermaid } from './mermaid.ts';
export { type Picture, pictureOf } from './picture.ts';
export { svg } from './svg.ts';
