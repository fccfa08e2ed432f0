// SPDX-License-Identifier: MIT
/** The certificates for a Docker Engine over TLS, in a folder with the names that the docker command uses. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentError } from './errors.ts';

export interface Certificates {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Throws EnvironmentError, with `hint`, if one of them cannot be read. */
export function certificatesIn(folder: string, hint: string): Certificates {
  const read = (name: string) => {
    const path = join(folder, name);
    try {
      return readFileSync(path);
    } catch (cause) {
      throw new EnvironmentError(`cannot read ${path}: ${(cause as NodeJS.ErrnoException).code}`, hint, {
        cause,
      });
    }
  };
  return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
}
