// SPDX-License-Identifier: MIT
// Container nodes of an engine that a stranger has replaced: testcontainers starts them, by a client of its own.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { after, before, describe, it } from 'mocha';
import { EnvironmentError } from '../../../runner/common/errors.ts';
import { LIMITS } from '../../../runner/common/limits.ts';
import type { startContainers } from '../../../runner/provision/containers.ts';
import { engineAt } from '../../../runner/provision/engine.ts';
import { folder } from '../../helpers/cli.ts';

type Answer = (response: ServerResponse) => void;

const say =
  (status: number, body: unknown): Answer =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

const PIECE = Buffer.alloc(64 * 1024, ' ');

describe('a container node', () => {
  const files = folder({});
  /** What the engine of the run answers, by the last words of the path; and the one that testcontainers would take. */
  const answers: Record<'run' | 'own', Record<string, Answer>> = { run: {}, own: {} };
  let asked: string[] = [];
  let sent = 0;

  const endless: Answer = (response) => {
    const more = () => {
      do sent += PIECE.length;
      while (response.write(PIECE) && !response.closed);
    };
    response.on('drain', more);
    more();
  };
  const serve =
    (name: keyof typeof answers): RequestListener =>
    ({ url = '' }, response) => {
      const path = url.replace(/^\/v[\d.]+(?=\/)/, '').replace(/\?.*/, '');
      asked.push(`${name} ${path}`);
      const [, answer] = Object.entries(answers[name]).find(([end]) => path.endsWith(end)) ?? [];
      (answer ?? say(404, { message: 'not here' }))(response);
    };
  const servers = (['run', 'own'] as const).map((name) => ({ name, server: createServer(serve(name)) }));
  const usual = { ...process.env };
  let start: typeof startContainers;

  before(async () => {
    for (const { name, server } of servers) await once(server.listen(files.path(name)), 'listening');
    // testcontainers looks for an engine once.
    process.env.DOCKER_HOST = `unix://${files.path('own')}`;
    process.env.TESTCONTAINERS_HOST_OVERRIDE = 'localhost';
    start = (await import('../../../runner/provision/containers.ts')).startContainers;
  });
  after(() => {
    for (const { server } of servers) {
      server.close();
      server.closeAllConnections();
    }
    for (const name of ['DOCKER_HOST', 'TESTCONTAINERS_HOST_OVERRIDE'] as const) {
      delete process.env[name];
      if (usual[name] !== undefined) process.env[name] = usual[name];
    }
    files[Symbol.dispose]();
  });

  async function startsAt(
    run: Record<string, Answer>,
    own: Record<string, Answer>,
    image = 'afbus-topo/agent:1',
  ): Promise<Error> {
    Object.assign(answers, { run: { '/volumes/create': say(201, {}), ...run }, own });
    [asked, sent] = [[], 0];
    const owner = { run: 'r', topology: 't', file: 'f', started: '', owner: '', kept: false };
    const starting = start({
      docker: engineAt({ host: `unix://${files.path('run')}` }).docker,
      image,
      mounts: [],
      owner,
      nodes: [{ name: 'n', env: {} }] as unknown as Parameters<typeof startContainers>[0]['nodes'],
      busDirectories: [],
      onNode: () => {},
    });
    const error = await starting.then(
      () => assert.fail('it starts'),
      (e: Error) => e,
    );
    assert.ok(error instanceof EnvironmentError, error.stack);
    assert.ok(sent < 4 * LIMITS.answerBytes.most);
    return error;
  }

  it('takes no memory without end while an engine says what it is', async () => {
    await startsAt({ '/json': say(500, { message: 'ill' }) }, { '/info': endless });
    assert.ok(sent > 0);
  });

  it('takes none while the engine describes its image', async () => {
    const error = await startsAt({ '/json': endless }, { '/info': say(200, {}) });
    assert.match(error.message, new RegExp(`answer of more than ${LIMITS.answerBytes.most} bytes$`));
  });

  it('starts at the engine of the run, whatever testcontainers finds', async () => {
    const error = await startsAt(
      { '/json': say(200, {}), '/containers/create': say(500, { message: 'no space left on device' }) },
      { '/info': say(200, {}) },
    );
    assert.match(error.message, /no space left on device/);
    const others = asked.filter((each) => each.startsWith('own '));
    assert.deepEqual(
      others.filter((each) => each !== 'own /info'),
      [],
    );
  });

  it('is of no image that a registry has', async () => {
    // testcontainers looks for an image once.
    const image = 'afbus-topo/agent:2';
    const lacks = { '/agent:2/json': say(404, { message: 'No such image' }) };
    const error = await startsAt({ ...lacks, '/json': say(200, {}) }, { '/info': say(200, {}) }, image);
    assert.match(error.message, /the engine has no image afbus-topo\/agent:2 any more$/);
    assert.ok(!asked.some((each) => each.endsWith('/images/create')));
  });
});
