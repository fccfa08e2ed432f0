// SPDX-License-Identifier: MIT
/** D-Bus as far as a bus of that protocol has to know it: messages, names and match rules. Pure. */
export { marshal } from './marshal.ts';
export { type From, matches } from './match.ts';
export type { Arg, DbusMessage, MessageType, ReceivedMessage, Subject } from './message.ts';
export { MESSAGE_TYPES, REQUIRED } from './message.ts';
export {
  BUS_NAME,
  DRIVER,
  INTERFACE,
  isBusName,
  isErrorName,
  isInterface,
  isMember,
  isPath,
  isWellKnown,
  MEMBER,
  MOST_OF_NAME,
  PATH,
  uniqueName,
  WELL_KNOWN,
} from './names.ts';
export { parse, parsed } from './parse.ts';
export { NotDbus } from './refusal.ts';
export { type Mistake, parseRule, RULE_KEYS, type Rule } from './rule.ts';
export { envelopeIn, seal, sealedLength } from './sealed.ts';
