// SPDX-License-Identifier: MIT
/** Introspection data (D-Bus Specification, "Introspection Data Format"). */
import { typesOf } from '../runner/dbus/index.ts';
import type { Interface, Interfaces, Method, Property } from './interface.ts';

const HEAD = `<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
`;

/** The data of an object that has these interfaces, and child objects with these names. */
export function introspection(interfaces: Interfaces, children: readonly string[]): string {
  const parts = [
    ...Object.entries(interfaces).map(([name, iface]) => interfaceText(name, iface)),
    ...children.map((name) => `  <node name="${name}"/>\n`),
  ];
  return `${HEAD}<node>\n${parts.join('')}</node>\n`;
}

function interfaceText(name: string, { methods = {}, properties = {}, signals = {} }: Interface): string {
  const members = [
    ...Object.entries(methods).map(methodText),
    ...Object.entries(signals).map(signalText),
    ...Object.entries(properties).map(propertyText),
  ];
  return `  <interface name="${name}">\n${members.join('')}  </interface>\n`;
}

const methodText = ([name, { in: input = '', out = '' }]: [string, Method]): string =>
  `    <method name="${name}">\n${argsText(input, 'in')}${argsText(out, 'out')}    </method>\n`;

const signalText = ([name, signature]: [string, string]): string =>
  `    <signal name="${name}">\n${argsText(signature)}    </signal>\n`;

const propertyText = ([name, { type, set }]: [string, Property]): string =>
  `    <property name="${name}" type="${type}" access="${set ? 'readwrite' : 'read'}"/>\n`;

function argsText(signature: string, direction?: 'in' | 'out'): string {
  const way = direction === undefined ? '' : ` direction="${direction}"`;
  return (typesOf(signature) ?? [])
    .map(({ signature: type }) => `      <arg type="${type}"${way}/>\n`)
    .join('');
}
