// SPDX-License-Identifier: MIT

/** These bytes are no D-Bus message: why, and at which byte. The only error that a parser throws. */
export class NotDbus extends Error {
  override readonly name = 'NotDbus';
  /** From 0. */
  readonly at: number;

  constructor(message: string, at: number) {
    super(`${message}, at byte ${at}`);
    this.at = at;
  }
}

/** A stranger's text in an error or a log, of which a long one would fill it. */
export const quoted = (text: string): string =>
  JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}…` : text);
