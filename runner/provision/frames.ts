// SPDX-License-Identifier: MIT
/**
 * Parts the output of a container that has no terminal: frames of a header (which stream, how many bytes) and that many
 * bytes. Nothing is kept until its frame is whole: the header is what an engine says, and it may say 4 GiB. While an
 * output is full, nothing is read.
 */

import type { Readable, Writable } from 'node:stream';

const HEADER = 8;
/** Of the length in the header. */
const LENGTH_AT = 4;

/** Writes what comes to the two outputs. It ends neither; a stream without frames is destroyed. */
export function partFrames(from: Readable, stdout: Writable, stderr: Writable): void {
  // By the number in the header: stdin, which nobody wants back, the two, and what the engine itself says.
  const outputs = [null, stdout, stderr, stderr];
  const header = Buffer.alloc(HEADER);
  const full = new Set<Writable>();
  let known = 0;
  let left = 0;

  /** Takes bytes of the header from the part; returns how many. */
  const begin = (part: Buffer): number => {
    const taken = part.copy(header, known);
    known += taken;
    if (known === HEADER) left = header.readUInt32BE(LENGTH_AT);
    return taken;
  };
  const pass = (part: Buffer): number => {
    const text = part.subarray(0, left);
    const output = outputs[header[0] as number];
    // One that is destroyed takes nothing, and says no more that it has room.
    if (output?.write(text) === false && !output.destroyed) full.add(output);
    left -= text.length;
    return text.length;
  };
  from.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; ) {
      if (known === HEADER && left === 0) known = 0;
      at += (known < HEADER ? begin : pass)(chunk.subarray(at));
      if (known > 0 && (header[0] as number) >= outputs.length)
        return void from.destroy(new Error('the engine sends no frames of output'));
    }
    if (full.size > 0) from.pause();
  });
  for (const output of [stdout, stderr]) {
    const hasRoom = () => {
      if (full.delete(output) && full.size === 0) from.resume();
    };
    output.on('drain', hasRoom).on('close', hasRoom);
  }
}
