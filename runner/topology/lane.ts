// SPDX-License-Identifier: MIT
/**
 * A lane is one receiving socket, the unit of every order check: a client's socket is named as the client,
 * the master's accepted socket for it `<bus>.master@<client>`.
 */
export type Lane = string;

export const masterOf = (bus: string): string => `${bus}.master`;
export const acceptedLane = (bus: string, client: string): Lane => `${masterOf(bus)}@${client}`;
