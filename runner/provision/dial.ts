// SPDX-License-Identifier: MIT
/**
 * Reaches a Docker Engine through ssh as the `docker` command does: `ssh HOST docker system dial-stdio`, once for each
 * connection. ssh itself reads ~/.ssh/config, so its aliases, users, ports and jump hosts work here as well. Programs
 * of this machine reach the engine at a socket in a folder that only its owner can enter.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidInput } from '../common/errors.ts';

export interface Tunnel {
  /** `unix://…` */
  readonly host: string;
  /** The last line that ssh wrote to stderr, if any. */
  said(): string;
  close(): void;
}

const TIMEOUT_S = 10;

/** Arguments of ssh for `ssh://user@host:port`. */
export function sshArguments(host: string): readonly string[] {
  const { username, hostname, port, pathname, password } = urlOf(host);
  if (hostname === '' || password !== '' || !['', '/'].includes(pathname)) throw malformed(host);
  return [
    '-T',
    ...['-o', `ConnectTimeout=${TIMEOUT_S}`],
    ...(username === '' ? [] : ['-l', decodeURIComponent(username)]),
    ...(port === '' ? [] : ['-p', port]),
    ...['--', hostname, 'docker', 'system', 'dial-stdio'],
  ];
}

function urlOf(host: string): URL {
  try {
    return new URL(host);
  } catch {
    throw malformed(host);
  }
}

const malformed = (host: string): InvalidInput =>
  new InvalidInput(
    `${host} is no address of a Docker Engine`,
    'write ssh://user@host, or ssh://user@host:port',
  );

export async function dial(host: string): Promise<Tunnel> {
  const argv = sshArguments(host);
  const folder = mkdtempSync(join(tmpdir(), 'afbus-docker-'));
  const path = join(folder, 'docker.sock');
  let said = '';
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    carry(socket, argv, (line) => {
      said = line;
    });
  });
  server.listen(path).unref();
  const close = () => {
    server.close();
    for (const socket of open) socket.destroy();
    rmSync(folder, { recursive: true, force: true });
    process.off('exit', close);
  };
  process.on('exit', close);
  await once(server, 'listening');
  return { host: `unix://${path}`, said: () => said, close };
}

/** Joins one connection with one ssh; each ends with the other. */
function carry(socket: Socket, argv: readonly string[], say: (line: string) => void): void {
  const ssh = spawn('ssh', argv, { stdio: ['pipe', 'pipe', 'pipe'] });
  ssh.on('error', (error) => {
    say(error.message);
    socket.destroy();
  });
  ssh.stderr.setEncoding('utf8').on('data', (text: string) => {
    const line = text.trim().split('\n').at(-1);
    if (line) say(line);
  });
  ssh.stdin.on('error', () => socket.destroy());
  socket.on('error', () => ssh.kill()).on('close', () => ssh.kill());
  socket.pipe(ssh.stdin);
  ssh.stdout.pipe(socket, { end: false });
  // After the last line of stderr: a client that sees the end may ask for that line.
  ssh.on('close', () => socket.end());
}
