// SPDX-License-Identifier: MIT
/** D-Bus: messages, names and match rules. Bytes and texts in, data out; no I/O, and nothing of AF_BUS. */
export { type Address, formatAddress, parseAddresses, socketPath } from './address.ts';
export { MAX_FIELDS, MAX_NAMES, MAX_RULES } from './bounds.ts';
export { embedEnvelope, envelopeIn, templateOf } from './embed-envelope.ts';
export { Framer } from './framer.ts';
export {
  type Fields,
  fieldsLength,
  type Header,
  lengthOf,
  MAX_MESSAGE,
  MESSAGE_TYPES,
  type MessageType,
  NO_AUTO_START,
  NO_REPLY_EXPECTED,
  REQUIRED,
  readHeader,
} from './header.ts';
export { BadValue, type Endian, marshalBody, Writer } from './marshal.ts';
export { type From, matches, type Subject } from './match.ts';
export {
  argsOf,
  check,
  type DbusMessage,
  forwarded,
  marshal,
  parse,
  parsed,
  type ReceivedMessage,
} from './message.ts';
export {
  BUS_NAME,
  DRIVER,
  INTERFACE,
  isBusName,
  isErrorName,
  isInterface,
  isMember,
  isPath,
  isUnique,
  isWellKnown,
  MAX_NAME,
  MEMBER,
  PATH,
  uniqueName,
  WELL_KNOWN,
} from './names.ts';
export { NotDbus } from './refusal.ts';
export { eavesdrops, type Mistake, parseRule, RULE_KEYS, type Rule } from './rule.ts';
export { type Mechanism, type SaslOptions, SaslServer, type SaslStep } from './sasl.ts';
export { MAX_SIGNATURE } from './signature.ts';
export { type Type, typeOf, typesOf } from './type.ts';
export type { Arg, Value, Variant } from './value.ts';
