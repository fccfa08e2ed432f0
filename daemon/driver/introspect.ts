// SPDX-License-Identifier: MIT
/** The introspection data of the bus, in the layout of dbus-daemon. */
import { typesOf } from '../../runner/dbus/index.ts';
import { INTERFACES, type Interface, type Method, type Signal } from './interfaces.ts';
import { DRIVER_PATH } from './message.ts';
import { PROPERTIES } from './properties.ts';

const HEAD = `<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
`;

export function introspection(path: string): string {
  const canonical = path === DRIVER_PATH;
  const interfaces = INTERFACES.filter(({ anyPath }) => canonical || anyPath).map(interfaceText);
  return `${HEAD}<node>\n${interfaces.join('')}${childOf(path)}</node>\n`;
}

/** The way from here to the object of the bus, if it is below. */
function childOf(path: string): string {
  const folder = path === '/' ? '/' : `${path}/`;
  return DRIVER_PATH.startsWith(folder) ? `  <node name="${DRIVER_PATH.slice(folder.length)}"/>\n` : '';
}

function interfaceText({ name, methods, signals }: Interface): string {
  const properties = name === 'org.freedesktop.DBus' ? Object.keys(PROPERTIES).map(propertyText) : [];
  const members = [...methods.map(methodText), ...properties, ...signals.map(signalText)];
  return `  <interface name="${name}">\n${members.join('')}  </interface>\n`;
}

function methodText({ name, in: input, out }: Method): string {
  const args = (direction: 'in' | 'out', signature: string) =>
    (typesOf(signature) ?? []).map(
      (type) => `      <arg direction="${direction}" type="${type.signature}"/>\n`,
    );
  return `    <method name="${name}">\n${args('in', input).join('')}${args('out', out).join('')}    </method>\n`;
}

function signalText({ name, args }: Signal): string {
  const lines = args.map((arg) =>
    typeof arg === 'string'
      ? `      <arg type="${arg}"/>\n`
      : `      <arg type="${arg[0]}" name="${arg[1]}"/>\n`,
  );
  return `    <signal name="${name}">\n${lines.join('')}    </signal>\n`;
}

const propertyText = (name: string): string =>
  `    <property name="${name}" type="as" access="read">
      <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="const"/>
    </property>
`;
