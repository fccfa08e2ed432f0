// SPDX-License-Identifier: MIT
/** The npm package that this file belongs to, whether it runs from source or from dist/. */

import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { join } from 'node:path';

const manifest = findPackageJSON('.', import.meta.url) as string;

/** Path of a file that comes with this tool. */
export const shipped = (path: string): string => join(manifest, '..', path);

/** Version of this tool. */
export const version = (): string =>
  (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
