// SPDX-License-Identifier: MIT
// What an engine answers that a stranger has replaced: without end, cut off, or no answer of an engine at all.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { describe, it } from 'mocha';
import { EnvironmentError } from '../../../runner/common/errors.ts';
import { LIMITS } from '../../../runner/common/limits.ts';
import type { Backend } from '../../../runner/provision/backend.ts';
import { engineAt } from '../../../runner/provision/engine.ts';
import { LABEL } from '../../../runner/provision/labels.ts';
import { listRuns } from '../../../runner/provision/runs.ts';
import { folder } from '../../helpers/cli.ts';

const PIECE = Buffer.alloc(64 * 1024, ' ');

/** Answers "[      …" for as long as the other end is there. */
function endless(response: ServerResponse, sent: { bytes: number }): void {
  const more = () => {
    sent.bytes += PIECE.length;
    while (response.write(PIECE) && !response.closed) sent.bytes += PIECE.length;
  };
  response.write('[');
  response.on('drain', more);
  more();
}

describe('a Docker Engine', () => {
  async function at(answer: (response: ServerResponse) => void) {
    const files = folder({});
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'application/json');
      answer(response);
    }).listen(files.path('sock'));
    await once(server, 'listening');
    return {
      docker: engineAt({ host: `unix://${files.path('sock')}` }).docker,
      [Symbol.asyncDispose]: async () => {
        server.close();
        server.closeAllConnections();
        files[Symbol.dispose]();
      },
    };
  }

  it('takes no memory without end by what it answers', async () => {
    const sent = { bytes: 0 };
    await using engine = await at((response) => endless(response, sent));
    await assert.rejects(engine.docker.listContainers(), (error: Error) => {
      assert.ok(error instanceof EnvironmentError);
      assert.match(error.message, new RegExp(`answer of more than ${LIMITS.answerBytes.most} bytes$`));
      return true;
    });
    assert.ok(sent.bytes < 4 * LIMITS.answerBytes.most);
  });

  it('is not waited for if it cuts its answer off', async () => {
    await using engine = await at((response) => {
      response.write('[', () => response.destroy());
    });
    await assert.rejects(engine.docker.listContainers(), /aborted/);
  });

  /** Gives this answer to each request. */
  const runsAt = async (status: number, body: unknown) => {
    await using engine = await at((response) => response.writeHead(status).end(JSON.stringify(body)));
    const backend = {
      docker: engine.docker,
      channel: async () => Readable.from([]),
      probe: async () => null,
    };
    await listRuns(backend as unknown as Backend);
  };
  const WRONG: Readonly<Record<string, [status: number, body: unknown]>> = {
    'no list': [200, { length: 1 }],
    'a list of nothing': [200, [null]],
    'a list of texts': [200, ['a']],
    'a container whose id is none': [200, [{ Id: 1, State: 'running', Labels: {} }]],
    'a label that is no text': [200, [{ Id: 'a', State: 'running', Labels: { [LABEL.nodes]: {} } }]],
    'a failure': [500, { message: 'no space left on device' }],
  };
  for (const [what, [status, body]] of Object.entries(WRONG))
    it(`is an error of the environment if it answers ${what}`, async () => {
      await assert.rejects(runsAt(status, body), (error: Error) => {
        assert.ok(error instanceof EnvironmentError, error.stack);
        assert.match(error.message, /^the Docker Engine does not do what it was asked for: ./);
        return true;
      });
    });

  it('may answer as much as an engine does', async () => {
    const runs = Array.from({ length: 1000 }, (_, i) => ({ Id: String(i) }));
    await using engine = await at((response) => response.end(JSON.stringify(runs)));
    for (let n = 0; n < 3; n++) assert.equal((await engine.docker.listContainers()).length, 1000);
  });
});
