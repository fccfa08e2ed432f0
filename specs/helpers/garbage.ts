// SPDX-License-Identifier: MIT
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Frees all that nothing can reach. A weak reference keeps its object until the end of the turn that made it. A
 * collection may have begun already, and then keeps what has died since; the next one leaves the bytes of buffers to a
 * thread; and the third begins when that is done.
 */
export async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let n = 0; n < 3; n++) {
    await nextTurn();
    collect();
  }
}
