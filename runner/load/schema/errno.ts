// SPDX-License-Identifier: MIT
/** The errnos that sendmsg on a bus socket can return (af_bus.md sections 2 to 6): others are mistakes. */
import { didYouMean } from '../../common/nearest.ts';

export const SEND_ERRNOS = [
  'EAGAIN',
  'EBADF',
  'ECONNREFUSED',
  'ECONNRESET',
  'EFAULT',
  'EHOSTUNREACH',
  'EINTR',
  'EINVAL',
  'EMSGSIZE',
  'ENOBUFS',
  'ENOMEM',
  'ENOTCONN',
  'EOPNOTSUPP',
  'EPERM',
  'EPIPE',
  'ETOOMANYREFS',
] as const;

/** The hint for an unknown errno. */
export function sendErrnoHint(input: unknown): string {
  if (input === 'EWOULDBLOCK') return 'Write EAGAIN.';
  return didYouMean(String(input), SEND_ERRNOS) ?? `One of ${SEND_ERRNOS.join(', ')}.`;
}
