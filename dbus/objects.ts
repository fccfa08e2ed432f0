// SPDX-License-Identifier: MIT
/** The objects that a program exports, and calls of their methods. */
import {
  type Arg,
  isInterface,
  isMember,
  isPath,
  typeOf,
  typesOf,
  type Value,
} from '../runner/dbus/index.ts';
import { argsOf, signatureOf, valuesOf } from './body.ts';
import type { Received } from './connection.ts';
import { DbusError, ERROR } from './error.ts';
import { type Interface, type Interfaces, type Method, own } from './interface.ts';
import { PEER, PROPERTIES, propertyOf, standard, variant } from './standard.ts';

/** Sends a signal of an object. */
export type Emit = (path: string, iface: string, member: string, args: readonly Arg[]) => Promise<void>;

export interface ExportedObject extends Disposable {
  /**
   * Sends one of the object's signals. Rejects with TypeError for a signal that it does not have, or for wrong values.
   */
  emit(iface: string, signal: string, args?: readonly Value[]): Promise<void>;
  /** Sends PropertiesChanged with the current value. Rejects with DbusError for a property that it does not have. */
  changed(iface: string, property: string): Promise<void>;
  /** Removes the object. */
  remove(): void;
}

export class Objects {
  readonly #objects = new Map<string, Interfaces>();
  readonly #emit: Emit;

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  /** Throws TypeError for invalid names and signatures, Error if there is an object at this path. */
  add(path: string, interfaces: Interfaces): ExportedObject {
    check(path, interfaces);
    if (this.#objects.has(path)) throw new Error(`there is an object at ${path} already`);
    const changed = async (iface: string, name: string): Promise<void> => {
      const now = await variant(propertyOf(interfaces, iface, name));
      await this.#emit(
        path,
        PROPERTIES,
        'PropertiesChanged',
        argsOf('sa{sv}as', [iface, { [name]: now }, []]),
      );
    };
    const object = standard(interfaces, () => this.#childrenOf(path), changed);
    this.#objects.set(path, object);
    const remove = () => {
      if (this.#objects.get(path) === object) this.#objects.delete(path);
    };
    return {
      ...{ changed, remove, [Symbol.dispose]: remove },
      emit: async (iface, signal, args = []) =>
        this.#emit(path, iface, signal, argsOf(signalOf(interfaces, iface, signal), args)),
    };
  }

  /** The arguments of the reply. Rejects with what the method throws, or with DbusError if there is no such method. */
  async call(message: Received): Promise<readonly Arg[]> {
    const method = this.#methodOf(message);
    const { in: input = '', out = '' } = method;
    const signature = signatureOf(message.args);
    if (signature !== input)
      throw new DbusError(
        `${ERROR}InvalidArgs`,
        `${message.member} takes arguments of the signature "${input}", not "${signature}"`,
      );
    return argsOf(out, (await method.call(valuesOf(message.args), message)) ?? []);
  }

  #methodOf({ path = '', interface: name, member = '' }: Received): Method {
    // The Peer interface answers at any path.
    const interfaces = name !== undefined && own(PEER, name) ? PEER : this.#at(path);
    const candidates = name === undefined ? Object.values(interfaces) : [own(interfaces, name)];
    if (candidates[0] === undefined)
      throw new DbusError(`${ERROR}UnknownInterface`, `${path} has no interface ${name}`);
    for (const candidate of candidates) {
      const method = own(candidate?.methods ?? {}, member);
      if (method !== undefined) return method;
    }
    throw new DbusError(`${ERROR}UnknownMethod`, `${path} has no method ${name ? `${name}.` : ''}${member}`);
  }

  /** A path above exported objects can be introspected, even if no object is exported there. */
  #at(path: string): Interfaces {
    const object = this.#objects.get(path);
    if (object !== undefined) return object;
    const children = () => this.#childrenOf(path);
    if (children().length === 0)
      throw new DbusError(`${ERROR}UnknownObject`, `there is no object at ${path}`);
    return standard({}, children, async () => {});
  }

  #childrenOf(path: string): string[] {
    const folder = path === '/' ? '/' : `${path}/`;
    const below = [...this.#objects.keys()].filter((other) => other !== '/' && other.startsWith(folder));
    return [...new Set(below.map((other) => other.slice(folder.length).split('/', 1)[0] as string))];
  }
}

function signalOf(interfaces: Interfaces, iface: string, signal: string): string {
  const signature = own(own(interfaces, iface)?.signals ?? {}, signal);
  if (signature === undefined) throw new TypeError(`the object has no signal ${iface}.${signal}`);
  return signature;
}

function check(path: string, interfaces: Interfaces): void {
  if (!isPath(path)) throw new TypeError(`${JSON.stringify(path)} is not an object path`);
  for (const [name, iface] of Object.entries(interfaces)) {
    if (!isInterface(name)) throw new TypeError(`${JSON.stringify(name)} is not an interface name`);
    checkMembers(name, iface);
  }
}

function checkMembers(name: string, { methods = {}, properties = {}, signals = {} }: Interface): void {
  for (const member of [methods, properties, signals].flatMap(Object.keys))
    if (!isMember(member)) throw new TypeError(`${JSON.stringify(member)} of ${name} is not a member name`);
  const lists = [
    ...Object.values(methods).flatMap(({ in: i = '', out = '' }) => [i, out]),
    ...Object.values(signals),
  ];
  const single = Object.values(properties).map(({ type }) => type);
  const wrong = lists.find((text) => typesOf(text) === undefined) ?? single.find((text) => !typeOf(text));
  if (wrong !== undefined) throw new TypeError(`${JSON.stringify(wrong)} of ${name} is not a signature`);
}
