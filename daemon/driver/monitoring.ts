// SPDX-License-Identifier: MIT
/** org.freedesktop.DBus.Monitoring. */
import { ruleOf } from './bus-methods.ts';
import { type Call, LATER } from './call.ts';
import { DriverError } from './error.ts';
import { replyTo } from './message.ts';

/** The reply comes first, then the client loses its names: the unique one, then the others as it got them. */
export function becomeMonitor(call: Call): typeof LATER {
  const { driver, peer, header, before } = call;
  if (call.uint32(1) !== 0)
    throw new DriverError('InvalidArgs', 'BecomeMonitor does not support any flags yet');
  const rules = (call.value(0) as readonly string[]).map(ruleOf);
  before.push({ do: 'send', to: peer, message: replyTo(peer, header, []) });
  before.push(...driver.watch(peer, rules));
  return LATER;
}
