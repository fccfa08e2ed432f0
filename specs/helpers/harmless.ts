// SPDX-License-Identifier: MIT
/** What no output may hold, whatever is in the files that it is about. */
import assert from 'node:assert/strict';
import type { CliResult } from './cli.ts';

/** Fails where an output could steer a terminal, or be taken by a CI service or a reader of results for what it is not. */
export function assertHarmless({ stdout, stderr }: CliResult, format: string): void {
  for (const [stream, text] of Object.entries({ stdout, stderr })) {
    const steers = /[^\P{C}\n\t]|[\u2028\u2029]/u.exec(text)?.[0];
    assert.equal(steers, undefined, `${stream} of ${format}: ${JSON.stringify(text)}`);
    assert.doesNotMatch(text, /##\[/, `${stream} of ${format}`);
    assert.doesNotMatch(text, /^ +at .*\.[jt]s:\d+|internal error/m, `${stream} of ${format}: a stack`);
    const commands = text.split('\n').filter((line) => /^\s*::/.test(line));
    const own = format === 'github' && stream === 'stdout' ? /^::(error|warning) (file|title)=/ : /^(?!)/;
    for (const command of commands) assert.match(command, own, `${stream} of ${format}`);
    for (const command of commands) assert.doesNotMatch(command, /^\s*::\w+ file=evil/, stream);
    // In YAML it is a line of a block. The 99th combination of a matrix has a line of its own.
    if (format !== 'yaml') assert.doesNotMatch(text, /^\s*(not )?ok 99 forged/m, `${stream} of ${format}`);
  }
}
