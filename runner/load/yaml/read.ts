// SPDX-License-Identifier: MIT
/** Reads the text of a file. */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { DiagnosticText } from '../../common/diagnostic.ts';
import { isBelow } from '../../common/folder.ts';
import { LIMITS } from '../../common/limits.ts';

/** Returns a file's text, or words that say why there is none. */
export type Read = (file: string) => { readonly text: string } | { readonly words: DiagnosticText };

/** The folder of the file that was asked for: that file can make no other file be read that is outside of it. */
export const folderOf = (file: string): string => (file === STDIN ? '.' : dirname(file));

/** Reads files below `folder`. A link that leads out of it is refused, and nothing of its target is shown. */
export const readBelow =
  (folder: string): Read =>
  (file) => {
    try {
      const place = realpathSync(file);
      if (!isBelow(place, realpathSync(folder))) return { words: OUTSIDE };
      return readAt(place);
    } catch (error) {
      return { words: unreadable(error) };
    }
  };

const OUTSIDE: DiagnosticText = {
  code: 'include',
  message: 'it lies outside of the folder of the file that is read',
  hint: 'A topology is made of files below its own folder: move it there, or name the file that a link leads to.',
};

const NO_FILE: DiagnosticText = {
  code: 'file',
  message: 'this is not a regular file',
  hint: 'Devices, sockets and pipes are not read: save the topology to a file.',
};

/**
 * Checks and reads one descriptor, so that both see the same file. Opening must neither wait nor acquire a terminal.
 */
function readAt(place: string): ReturnType<Read> {
  const { O_RDONLY, O_NONBLOCK, O_NOCTTY, O_NOFOLLOW } = constants;
  if (!isPlain(statSync(place))) return { words: NO_FILE };
  const fd = openSync(place, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
  try {
    const found = fstatSync(fd);
    if (!isPlain(found)) return { words: NO_FILE };
    if (found.size > LIMITS.fileBytes.most) return { words: tooBig(found.size) };
    return textOf(upTo(LIMITS.fileBytes.most + 1, fd));
  } finally {
    closeSync(fd);
  }
}

/** Whether it is a file, or a folder, for which reading gives a proper error. */
const isPlain = (found: Stats): boolean => found.isFile() || found.isDirectory();

const STDIN = '<stdin>';

/** `<stdin>` is read from stdin, and may include files below the current folder. */
export const readStdin: Read = (file) => {
  if (file !== STDIN) return readBelow('.')(file);
  try {
    return textOf(upTo(LIMITS.fileBytes.most + 1, 0));
  } catch (error) {
    return { words: unreadable(error) };
  }
};

/** Reads at most that many bytes: stdin and files in /proc may have no end. */
function upTo(most: number, fd: number): Uint8Array {
  const bytes = new Uint8Array(most);
  let length = 0;
  for (let got = -1; got !== 0 && length < most; length += got) {
    got = readNext(fd, bytes, length);
  }
  return bytes.subarray(0, length);
}

/** How long to wait before a pipe that is empty is asked again, in ms. */
const PAUSE_MS = 10;

/**
 * Waits for what the program at the other end of a pipe has not written yet. Modules that import `node:process` make a
 * stream of stdin, so that it does not wait by itself any more; and Node has no other call that waits.
 */
function readNext(fd: number, bytes: Uint8Array, from: number): number {
  for (;;) {
    try {
      return readSync(fd, bytes, from, bytes.length - from, null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  }
}

function textOf(bytes: Uint8Array): ReturnType<Read> {
  if (bytes.length > LIMITS.fileBytes.most) return { words: tooBig(bytes.length) };
  return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
}

const tooBig = (size: number): DiagnosticText => ({
  code: 'too-big',
  message: `the file has ${Math.ceil(size / 1048576)} MiB; a topology has at most 2 MiB`,
  hint: 'Use replicas and count instead of writing everything out.',
});

function unreadable(error: unknown): DiagnosticText {
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
