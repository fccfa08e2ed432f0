// SPDX-License-Identifier: MIT
/** What specs of message buses say, and what they hear, in few words. */
import { after, before, describe, it } from 'mocha';
import { type Arg, type DbusMessage, DRIVER, marshal } from '../../runner/dbus/index.ts';
import type { Got } from '../dbus/client.ts';
import { type RunningBus, startDaemon, startOurs } from '../dbus/daemons.ts';
import { RawClient } from '../dbus/raw-client.ts';

export const string = (value: string): Arg => ({ type: 's', value });
export const uint32 = (value: number): Arg => ({ type: 'u', value });
export const errorOf = ({ errorName, type }: Got): string =>
  errorName?.replace(`${DRIVER}.Error.`, '') ?? type;
/** `NameAcquired org.example.A` */
export const inLine = (got: Got): string =>
  [got.type === 'signal' ? got.member : errorOf(got), ...got.args.map(({ value }) => String(value))].join(
    ' ',
  );

export const message = (more: Partial<DbusMessage>): DbusMessage =>
  ({
    type: 'method_call',
    endian: 'little',
    destination: DRIVER,
    path: '/org/freedesktop/DBus',
    member: 'GetId',
    args: [],
    ...more,
  }) as DbusMessage;
export const bytesOf = (more: Partial<DbusMessage> = {}): Buffer => marshal(message(more), 9);

export function patched(bytes: Buffer, patch: (bytes: Buffer) => void): Buffer {
  patch(bytes);
  return bytes;
}

/** The same specs for dbus-daemon and for this project's bus, with the policy of session.conf and `more`. */
export function onEachBus(title: string, specs: (bus: () => RunningBus) => void, more = ''): void {
  for (const [name, start] of Object.entries({ 'dbus-daemon': startDaemon, 'this bus': startOurs }))
    describe(`${title} of ${name}`, function () {
      this.timeout(120_000);
      let bus: RunningBus;

      before(async () => {
        bus = await start(more);
      });

      after(() => bus[Symbol.asyncDispose]());

      specs(() => bus);
    });
}

/** What happens on a bus; `join` is for clients that end with it. */
export type Case = (join: () => Promise<RawClient>, bus: RunningBus) => Promise<void>;

/** Plays each case on dbus-daemon and on this project's bus: both do the same. */
export function playOnEachBus(what: string, cases: Readonly<Record<string, Case>>): void {
  onEachBus(what, (bus) => {
    for (const [title, play] of Object.entries(cases))
      it(title, async () => {
        const clients: RawClient[] = [];
        const join = async () => {
          const client = await RawClient.join(bus().path);
          clients.push(client);
          return client;
        };
        try {
          await play(join, bus());
        } finally {
          for (const client of clients) client.close();
        }
      });
  });
}
