// SPDX-License-Identifier: MIT
/** AF_BUS sockets for Node: `import { BusClient, BusMaster } from 'afbus-topo/native'`. */
export { AcceptedClient } from './accepted.ts';
export {
  type AddressLike,
  type AddressParts,
  addressFromBigInt,
  addressToBigInt,
  type BusAddress,
  formatAddress,
  isMulticast,
  MASTER_ADDRESS,
  multicastAddress,
  parseAddress,
} from './address.ts';
export { BusClient, type ConnectOptions } from './client.ts';
export { constants } from './constants.ts';
export { BusError, type ErrorContext } from './errors.ts';
export { isSupported, type Support } from './family.ts';
export { type FilterInstruction, filterReturn } from './filter.ts';
export { AddonLoadError, type LoadAttempt } from './load.ts';
export { BusMaster, type ListenOptions, type Overflow } from './master.ts';
export type { Credentials, Message } from './message.ts';
export type { Match, Name } from './nfdbus.ts';
export type { Protocol } from './open.ts';
export { OwnedFd } from './owned-fd.ts';
export { BusSocket } from './socket.ts';
export type { End, ReceiveOptions, SendOptions, WaitOptions } from './types.ts';
export { type Chunk, UnixListener, UnixStream, type WriteOptions } from './unix.ts';
