// SPDX-License-Identifier: MIT
/** What a send puts on the wire: bytes and descriptors, and whether they fit. */

import type { Path } from '../../common/diagnostic.ts';
import { ENVELOPE_SIZE } from '../../common/envelope.ts';
import { LIMITS } from '../../common/limits.ts';
import { sizeRange } from '../../common/scalars.ts';
import { DEFAULT_SEND_BUFFER } from '../../predict/index.ts';
import { type Content, lengthsOf } from '../../topology/message.ts';
import type { FdSpec } from '../../topology/topology.ts';
import { dbusOf } from './dbus-payload.ts';
import type { Scope, WrittenSend } from './scope.ts';

/** Size of a generated message if the file gives neither payload nor size. */
const DEFAULT_SIZE = { min: 64, max: 64 };
/** Bytes of the send buffer that the kernel needs for itself (af_bus.md 3.6). */
const OVERHEAD = 32;

export function bodyOf(scope: Scope, send: WrittenSend, bus: string, at: (key: string) => Path): Content {
  const { problems } = scope;
  if (send.payload !== undefined) {
    if (send.size !== undefined) {
      const message = 'a payload has its own size';
      problems.error(at('size'), {
        code: 'impossible',
        message,
        hint: 'Remove `size` or `payload`.',
        onKey: true,
      });
    }
    if (isDbus(send.payload)) {
      const path = [...at('payload'), 'dbus'];
      return dbusOf(scope, send.payload.dbus, { bus, fds: send.fds?.length ?? 0 }, path);
    }
    return { payload: bytes(send.payload) };
  }
  const size = send.size === undefined ? DEFAULT_SIZE : sizeRange(send.size);
  if (size.min < ENVELOPE_SIZE) {
    const message = `a message has at least ${ENVELOPE_SIZE} bytes: the runner marks each with that many`;
    problems.error(at('size'), { code: 'bad-value', message, hint: `Write ${ENVELOPE_SIZE}B or more.` });
  }
  if (size.min > size.max) {
    const message = `the range runs backwards: ${size.min} … ${size.max} bytes`;
    problems.error(at('size'), { code: 'bad-value', message, hint: 'Write the lower end first.' });
  }
  return { size };
}

type Payload = NonNullable<WrittenSend['payload']>;
type Dbus = Extract<Payload, { dbus: unknown }>;

const isDbus = (payload: Payload): payload is Dbus => typeof payload === 'object' && 'dbus' in payload;

function bytes(payload: Exclude<Payload, Dbus>): Uint8Array {
  if (typeof payload === 'string') return Buffer.from(payload, 'utf8');
  return 'hex' in payload ? Buffer.from(payload.hex, 'hex') : Buffer.from(payload.base64, 'base64');
}

export function checkLength(
  scope: Scope,
  bus: string,
  body: Content,
  error: string | undefined,
  path: Path,
): void {
  const written = scope.buses.get(bus)?.sendBuffer;
  const limit = (written ?? DEFAULT_SEND_BUFFER) - OVERHEAD;
  const longest = lengthsOf(body).max;
  if (longest > limit && error === undefined) {
    const from = written === undefined ? 'the default send buffer' : `bus "${bus}"'s send buffer`;
    const message = `a message of ${longest} bytes is longer than ${from} allows (${limit})`;
    scope.problems.error(path, {
      code: 'impossible',
      message,
      hint: 'Expect it: expect: { error: EMSGSIZE }, or raise `sendBuffer`.',
    });
  } else if (longest <= limit && error === 'EMSGSIZE') {
    const message = `EMSGSIZE cannot happen: ${longest} bytes fit (at most ${limit})`;
    scope.problems.warning(path, { code: 'impossible', message });
  }
}

export function fdsOf(
  { problems }: Scope,
  send: Pick<WrittenSend, 'fds'> & { readonly count?: number | undefined },
  at: (key: string) => Path,
): FdSpec[] {
  const seen = new Set<string>();
  (send.fds ?? []).forEach(({ pipe }, n) => {
    if (seen.has(pipe)) {
      const message = `the pipe "${pipe}" is there twice`;
      problems.error([...at('fds'), n], {
        code: 'duplicate-name',
        message,
        hint: 'Give each pipe its own name.',
      });
    }
    seen.add(pipe);
  });
  const { most } = LIMITS.pipes;
  const all = seen.size * (send.count ?? 1);
  if (all > most)
    problems.error(at('fds'), {
      ...{ code: 'impossible', message: `this step passes ${all} descriptors; the limit is ${most}` },
      hint: 'Send fewer messages in this step, or without descriptors.',
    });
  return [...seen].map((name) => ({ kind: 'pipe', name }));
}
