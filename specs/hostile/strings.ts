// SPDX-License-Identifier: MIT
/** Texts that do harm where they are printed, opened, looked up or counted without care. */

import type { Random } from '../../runner/common/random.ts';

/** They steer a terminal, or start a line of their own. */
const STEERING = [
  '\u001b[2J',
  '\u001b]0;title\u0007',
  '\u001b]8;;https://evil.example\u001b\\',
  '\u009b31m',
  '\r',
  '\n',
  '\r\n',
  '\u2028',
  '\u2029',
  '\u0085',
  '\u000b',
  '\u000c',
  '\0',
  '\b\b\b\b',
  '\u007f',
  '\u202e',
  '\u2066',
  '\u200f',
  '\ufeff',
  '\u00ad',
  '\u{e0041}',
  '\ud800',
  '\udfff',
  '\ufffe',
];

/** A CI service, or a reader of a format, takes them for commands, results or the end of what they stand in. */
export const FORGING = [
  '::error file=evil::forged',
  ' ::error file=evil::forged',
  '::stop-commands::x',
  '::add-mask::x',
  '##[error]forged',
  '##vso[task.setvariable variable=x]y',
  'ok 99 forged',
  'not ok 99 forged',
  '  ok 99 forged',
  '1..99',
  'Bail out!',
  '# SKIP',
  '\\# SKIP',
  ']]>',
  '--><x/>',
  '<script>alert(1)</script>',
  '</text></svg><script>alert(1)</script>',
  '" onload="alert(1)',
  '"]; click a "javascript:alert(1)"',
  'a"; b [URL="javascript:alert(1)"]; "',
  '%%{init: {}}%%',
  'end\n  loop',
  '&#x1b;[2J',
  '&#10;',
  '%0A::error file=evil::forged',
  '%1b',
  '{"result":"pass"}',
  "');//",
];

/** Paths out of where they are looked for. */
const LEAVING = [
  '../secret',
  '/../../escaped',
  '..',
  '.',
  '/etc/passwd',
  '/proc/self/environ',
  '/proc/self/fd/0',
  '/proc/kmsg',
  '/dev/zero',
  '/dev/tty',
  '/dev/stdin',
  'below/../../secret',
  'link',
  'up/secret',
  'fifo',
  'below',
  '//host/share',
  'C:\\x',
  'file:///etc/passwd',
  'x\0y',
  '~/.ssh/id_rsa',
  '-rf',
  '--help',
];

/** Names that objects and shells have already. */
const KNOWN = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'prototype',
  'NODE_OPTIONS',
  'LD_PRELOAD',
  'PATH',
  'IFS',
  '$(id)',
  '`id`',
  '; id',
  '${HARMLESS}',
  '${HARMLESS:-x}',
  '$${x}',
  '${',
  '${x:-${x}}',
  'null',
  'true',
  'NaN',
  '*',
  '<<',
  '&a',
  '!!js/function',
  '@',
  'cabin.master',
  'camera.2',
  '',
  ' ',
];

const POOLS = [STEERING, FORGING, LEAVING, KNOWN];
const PLAIN = ['a', 'x1', 'hello', 'é', '日本', '😀', '-', '.', '/', ':'];

/** One to three pieces of the pools, sometimes very long. */
export function hostileText(random: Random): string {
  const pieces = Array.from({ length: 1 + random.below(3) }, () =>
    random.oneIn(4) ? random.pick(PLAIN) : random.pick(random.pick(POOLS)),
  );
  const text = pieces.join(random.oneIn(3) ? '\n' : '');
  return random.oneIn(40) ? text.repeat(1 + random.below(2000)) : text;
}

/** Numbers, sizes and durations that are too big, too small, or none. */
const NUMBERS: readonly (number | string)[] = [
  0,
  -0,
  -1,
  0.5,
  1e21,
  1e308,
  -1e308,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  '0x10',
  '1e999',
  '.inf',
  '.nan',
  '9'.repeat(400),
  '-9223372036854775809',
  '64..4KiB',
  '4KiB..64',
  '99999999MiB',
  '1e3KiB',
  '0s',
  '-5ms',
  '99999999m',
  '2000/s',
  '0/s',
  '1/0',
  '²',
];

export const hostileNumber = (random: Random): number | string => random.pick(NUMBERS);
