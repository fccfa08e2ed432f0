// SPDX-License-Identifier: MIT
/** D-Bus over AF_BUS for Node: `import { connect } from 'afbus-topo/dbus'`. */
import { Bus } from './bus.ts';

export { BusError, type OwnedFd } from '../native/lib/index.ts';
export { InvalidInput } from '../runner/common/errors.ts';
export { BadValue, type Value, type Variant } from '../runner/dbus/index.ts';
export {
  type Body,
  Bus,
  type ConnectOptions,
  type MethodCall,
  type NameOptions,
  type Released,
  type Reply,
  type Requested,
  type Signal,
} from './bus.ts';
export type { Received } from './connection.ts';
export { DbusError } from './error.ts';
export type { Interface, Interfaces, Method, Property, Values } from './interface.ts';
export type { ExportedObject } from './objects.ts';
export type { Handler, Subscription } from './subscriptions.ts';

export const connect = Bus.connect;
