// SPDX-License-Identifier: MIT
/** Turns the captured bytes of `payload: { dbus: { raw: … } }` into a message. */

import type { Path } from '../../common/diagnostic.ts';
import { BadValue, type DbusMessage, NotDbus, parse, templateOf } from '../../dbus/index.ts';
import type { Scope, WrittenDbus } from './scope.ts';

/** Stands for a message with a mistake, which has been reported. */
const NO_MESSAGE: DbusMessage = { type: 'signal', endian: 'little', args: [] };

/** Parses captured bytes as a message; the run gives it another serial. */
export function captured(scope: Scope, written: WrittenDbus, fds: number, at: Path): DbusMessage {
  const [other] = Object.keys(written).filter((key) => key !== 'raw');
  if (other !== undefined) {
    const message = `captured bytes say by themselves what \`${other}\` says`;
    scope.problems.error([...at, other], { code: 'impossible', message, onKey: true });
  }
  try {
    const { serial: _, type, ...message } = parse(Buffer.from(written.raw ?? '', 'hex'));
    if (type === 'unknown') throw new NotDbus('a message of an unknown type', 1);
    checkFds(scope, message.unixFds ?? 0, fds, at);
    templateOf({ ...message, type });
    return { ...message, type };
  } catch (error) {
    if (!(error instanceof NotDbus || error instanceof BadValue)) throw error;
    const message = `not a D-Bus message that can be sent: ${error.message}`;
    scope.problems.error([...at, 'raw'], { code: 'bad-value', message });
    return NO_MESSAGE;
  }
}

function checkFds({ problems }: Scope, captured: number, sent: number, at: Path): void {
  if (captured === sent) return;
  const message = `the message has ${captured} descriptors, the send ${sent}`;
  problems.error([...at, 'raw'], { code: 'impossible', message, hint: 'Give it as many with `fds`.' });
}
