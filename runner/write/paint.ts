// SPDX-License-Identifier: MIT
/** Colour and marks of terminal reports. */

import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';
export type Paint = (style: Style, text: string) => string;

/** Returns a painter that uses colours, or one that does not. */
export const painter = (color: boolean): Paint =>
  color
    ? (style, text) => (text === '' ? '' : styleText(style, text, { validateStream: false }))
    : (_, text) => text;

/** Whether to use colours: on a terminal, unless the user turns them off; everywhere with FORCE_COLOR. */
export function wantsColor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0';
  return stream.isTTY === true && env.TERM !== 'dumb';
}
