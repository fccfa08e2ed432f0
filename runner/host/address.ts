// SPDX-License-Identifier: MIT
/** Where something listens, as DOCKER_HOST says it: `unix:///path` or `tcp://host:port`. */

export type Address = { readonly path: string } | { readonly host: string; readonly port: number };

const UNIX = 'unix://';

export function addressOf(url: string): Address {
  if (url.startsWith(UNIX)) return { path: url.slice(UNIX.length) };
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

export const ofSocket = (path: string): string => `${UNIX}${path}`;
export const ofPort = (port: number): string => `tcp://127.0.0.1:${port}`;
