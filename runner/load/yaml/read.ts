// SPDX-License-Identifier: MIT
/** File → text. */
import { readFileSync, readSync, statSync } from 'node:fs';
import type { Words } from '../../common/diagnostic.ts';

const MAX_BYTES = 2 * 1024 * 1024;

/** A file's text, or the words that say why there is none. */
export type Read = (file: string) => { readonly text: string } | { readonly words: Words };

export const read: Read = (file) => {
  try {
    const found = statSync(file);
    // What has no size may have no end, or keep whoever opens it waiting.
    if (!found.isFile() && !found.isDirectory()) return { words: NO_FILE };
    const { size } = found;
    if (size > MAX_BYTES) return { words: tooBig(size) };
    return textOf(readFileSync(file));
  } catch (error) {
    return { words: unreadable(error) };
  }
};

const NO_FILE: Words = {
  code: 'file',
  message: 'this is not a regular file',
  hint: 'Devices, sockets and pipes are not read: save the topology to a file.',
};

/** `<stdin>` is what comes in there; what it includes are files. */
export const readStdin: Read = (file) => {
  if (file !== '<stdin>') return read(file);
  try {
    return textOf(upTo(MAX_BYTES + 1, 0));
  } catch (error) {
    return { words: unreadable(error) };
  }
};

/** At most so many bytes: what comes from elsewhere need not have an end. */
function upTo(most: number, fd: number): Uint8Array {
  const bytes = new Uint8Array(most);
  let length = 0;
  for (let got = -1; got !== 0 && length < most; length += got) {
    got = readSync(fd, bytes, length, most - length, null);
  }
  return bytes.subarray(0, length);
}

function textOf(bytes: Uint8Array): ReturnType<Read> {
  if (bytes.length > MAX_BYTES) return { words: tooBig(bytes.length) };
  return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
}

const tooBig = (size: number): Words => ({
  code: 'too-big',
  message: `the file has ${Math.ceil(size / 1048576)} MiB; a topology has at most 2 MiB`,
  hint: 'Use replicas and count instead of writing everything out.',
});

function unreadable(error: unknown): Words {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
    return { code: 'encoding', message: 'the file is not UTF-8 text', hint: 'Save it as UTF-8.' };
  }
  const [message, hint] = REASONS[code] ?? [`cannot read it (${code || String(error)})`, undefined];
  return { code: 'file', message, hint };
}

const REASONS: Readonly<Record<string, readonly [string, string]>> = {
  ENOENT: ['there is no such file', 'Is the path right? It is relative to the current directory.'],
  ENOTDIR: ['there is no such file', 'A part of its path is not a directory.'],
  EISDIR: ['this is a directory', 'Name a *.topo.yaml file in it.'],
  ELOOP: ['its symbolic links lead in a circle', 'Let the link point to a file.'],
  ENAMETOOLONG: ['its name is too long for a file', 'Is this the name of a file, or its text?'],
  EACCES: ['no permission to read it', 'Check the permissions of the file and its directories.'],
};
