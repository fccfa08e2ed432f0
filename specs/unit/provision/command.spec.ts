// SPDX-License-Identifier: MIT
// A command in a node, at an engine that fails: it is an error of the environment, and no bug of the command line.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { describe, it } from 'mocha';
import { EnvironmentError } from '../../../runner/common/errors.ts';
import type { Backend } from '../../../runner/provision/backend.ts';
import { startCommand } from '../../../runner/provision/command.ts';
import { engineAt } from '../../../runner/provision/engine.ts';
import { folder } from '../../helpers/cli.ts';

const ENDED = { State: { Running: false, ExitCode: 0 } };
const UPGRADED = 'HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';

describe('a command in a node', () => {
  /** Fails at requests whose method and path match. */
  async function at(failing: RegExp) {
    const files = folder({});
    const server = createServer(({ method, url = '' }, response) => {
      const fails = failing.test(`${method} ${url}`);
      response.writeHead(fails ? 500 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(fails ? { message: 'no space left on device' } : { Id: 'c', ...ENDED }));
    });
    server.on('upgrade', (_, socket: Socket) => void socket.end(UPGRADED));
    await once(server.listen(files.path('sock')), 'listening');
    const { docker } = engineAt({ host: `unix://${files.path('sock')}` });
    return {
      backend: { docker, image: 'afbus-topo/agent:1' } as Backend,
      [Symbol.asyncDispose]: async () => {
        server.close();
        server.closeAllConnections();
        files[Symbol.dispose]();
      },
    };
  }

  async function failsAt(failing: RegExp, launcher: 'container' | 'process'): Promise<void> {
    await using engine = await at(failing);
    const status = async () => {
      const node = { name: 'ecu', state: 'running', id: 'c' };
      const started = { argv: ['true'], input: false };
      const command = await startCommand(engine.backend, { run: 'r', launcher }, node, started);
      return command.status();
    };
    await assert.rejects(status(), (error: Error) => {
      assert.ok(error instanceof EnvironmentError, error.stack);
      assert.match(error.message, /no space left on device/);
      return true;
    });
  }

  it('fails if the engine runs none in a container', () => failsAt(/exec/, 'container'));
  it('fails if the engine makes no container for it', () => failsAt(/create/, 'process'));
  it('fails if the engine does not start that container', () => failsAt(/start/, 'process'));
  it('fails if the engine does not remove that container', () => failsAt(/^DELETE/, 'process'));
});
