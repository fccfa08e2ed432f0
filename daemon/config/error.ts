// SPDX-License-Identifier: MIT
import { InvalidInput } from '../../runner/common/errors.ts';

/** File and line. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** A configuration that cannot be obeyed. */
export class ConfigError extends InvalidInput {
  constructor(
    { file, line }: Place,
    message: string,
    hint = 'dbus-daemon(1) describes this file under "CONFIGURATION FILE".',
  ) {
    super(`${file}:${line}: ${message}`, hint);
  }
}
