// SPDX-License-Identifier: MIT
/** Limits for one client. Names and defaults are dbus-daemon's; sizes are in bytes, times in milliseconds. */

export interface Limits {
  readonly max_incoming_bytes: number;
  readonly max_incoming_unix_fds: number;
  readonly max_outgoing_bytes: number;
  readonly max_outgoing_unix_fds: number;
  readonly max_message_size: number;
  readonly max_message_unix_fds: number;
  readonly service_start_timeout: number;
  readonly auth_timeout: number;
  readonly pending_fd_timeout: number;
  readonly max_completed_connections: number;
  readonly max_incomplete_connections: number;
  readonly max_connections_per_user: number;
  readonly max_pending_service_starts: number;
  readonly max_names_per_connection: number;
  readonly max_match_rules_per_connection: number;
  readonly max_replies_per_connection: number;
  /** -1: there is no limit for a reply. */
  readonly reply_timeout: number;
}

/** Maximum number of messages in the queue of a native client. The kernel evicts a client that exceeds it. */
export const NATIVE_QUEUE = 128;

const MIB = 1024 * 1024;

export const DEFAULT_LIMITS: Limits = {
  max_incoming_bytes: 127 * MIB,
  max_incoming_unix_fds: 64,
  max_outgoing_bytes: 127 * MIB,
  max_outgoing_unix_fds: 64,
  max_message_size: 32 * MIB,
  max_message_unix_fds: 16,
  service_start_timeout: 25_000,
  auth_timeout: 30_000,
  pending_fd_timeout: 150_000,
  max_completed_connections: 2048,
  max_incomplete_connections: 64,
  max_connections_per_user: 256,
  max_pending_service_starts: 512,
  max_names_per_connection: 512,
  max_match_rules_per_connection: 512,
  max_replies_per_connection: 128,
  reply_timeout: -1,
};
