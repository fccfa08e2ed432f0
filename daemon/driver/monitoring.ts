// SPDX-License-Identifier: MIT
/** org.freedesktop.DBus.Monitoring. */
import { ruleOf } from './bus-methods.ts';
import { type Call, LATER } from './call.ts';
import type { Effect } from './effect.ts';
import { DriverError } from './error.ts';
import { replyTo } from './message.ts';

/**
 * The reply comes first, then the client loses its names: the unique one, then the others as it got them. By then it hears
 * everything: a native client that knows it is a monitor may have others send at once, without the bus.
 */
export function becomeMonitor(call: Call): typeof LATER {
  const { driver, peer, header, before } = call;
  if (call.uint32(1) !== 0)
    throw new DriverError('InvalidArgs', 'BecomeMonitor does not support any flags yet');
  const rules = (call.value(0) as readonly string[]).map(ruleOf);
  const effects = driver.watch(peer, rules, header.serial);
  const isForIt = (effect: Effect) => effect.do === 'send' && effect.to === peer;
  before.push(...effects.filter((effect) => !isForIt(effect)));
  before.push({ do: 'send', to: peer, message: replyTo(peer, header, []) });
  before.push(...effects.filter(isForIt));
  return LATER;
}
