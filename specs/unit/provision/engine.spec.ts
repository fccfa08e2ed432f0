// SPDX-License-Identifier: MIT
// Which Docker Engine is taken: the one that the docker command would take, and over ssh by ssh's own rules.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname } from 'node:path';
import { describe, it } from 'mocha';
import { dial, sshArguments } from '../../../runner/provision/dial.ts';
import { endpointOf } from '../../../runner/provision/endpoint.ts';
import { engineAt } from '../../../runner/provision/engine.ts';
import { folder } from '../../helpers/cli.ts';

const idOf = (context: string) => createHash('sha256').update(context).digest('hex');

const metaOf = (context: string, host: string) => ({
  [`.docker/contexts/meta/${idOf(context)}/meta.json`]: JSON.stringify({
    Name: context,
    Endpoints: { docker: { Host: host } },
  }),
});

function home(files: Readonly<Record<string, string>>): ReturnType<typeof folder> {
  const made = folder({});
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(made.path(name)), { recursive: true });
    writeFileSync(made.path(name), text);
  }
  return made;
}

const IN_USE = { '.docker/config.json': '{"currentContext":"rootless"}' };
const ROOTLESS = metaOf('rootless', 'unix:///run/user/1000/docker.sock');

describe('the Docker Engine', () => {
  it('is that of the context in use', () => {
    using files = home({ ...IN_USE, ...ROOTLESS });
    assert.deepEqual(endpointOf({ HOME: files.path('') }), {
      host: 'unix:///run/user/1000/docker.sock',
      from: 'the docker context "rootless"',
    });
  });

  it('is that of DOCKER_CONTEXT, and before it that of DOCKER_HOST', () => {
    using files = home({ ...IN_USE, ...ROOTLESS, ...metaOf('pi', 'ssh://pi') });
    const env = { HOME: files.path(''), DOCKER_CONTEXT: 'pi' };
    assert.equal(endpointOf(env).host, 'ssh://pi');
    assert.equal(endpointOf({ ...env, DOCKER_HOST: 'tcp://h:1' }).host, 'tcp://h:1');
    assert.equal(endpointOf({ ...env, DOCKER_CONTEXT: 'default' }).host, 'unix:///var/run/docker.sock');
  });

  it('is the one of this machine if nothing names another', () => {
    using files = home({});
    assert.deepEqual(endpointOf({ HOME: files.path('') }), {
      host: 'unix:///var/run/docker.sock',
      from: 'the default',
    });
  });

  it('has the certificates of its context, or of DOCKER_CERT_PATH', () => {
    const tls = `.docker/contexts/tls/${idOf('far')}/docker`;
    using files = home({ ...metaOf('far', 'tcp://far:2376'), [`${tls}/ca.pem`]: '' });
    const HOME = files.path('');
    assert.equal(endpointOf({ HOME, DOCKER_CONTEXT: 'far' }).certDir, files.path(tls));
    const secure = { HOME, DOCKER_HOST: 'tcp://h:2376', DOCKER_TLS_VERIFY: '1' };
    assert.equal(endpointOf(secure).certDir, files.path('.docker'));
    assert.equal(endpointOf({ ...secure, DOCKER_CERT_PATH: '/c' }).certDir, '/c');
  });

  it('is an error that names the context or the file if these do not say where the engine is', () => {
    using files = home({ '.docker/config.json': '{' });
    const HOME = files.path('');
    assert.throws(() => endpointOf({ HOME }), /which Docker Engine to take from .*config\.json: /);
    assert.throws(
      () => endpointOf({ HOME, DOCKER_CONTEXT: 'gone' }),
      /the docker context "gone" is not there/,
    );
  });
});

/** Says what it was asked for, and leads to the socket that $ENGINE names. */
const SSH = `#!${process.execPath}
process.stderr.write(process.argv.slice(2).join(' ') + '\\n');
const socket = require('node:net').connect(process.env.ENGINE);
process.stdin.pipe(socket).pipe(process.stdout);
`;

describe('an engine behind ssh', () => {
  it('is asked by the arguments that the docker command uses', () => {
    const to = ['docker', 'system', 'dial-stdio'];
    const common = ['-T', '-o', 'ConnectTimeout=10'];
    assert.deepEqual(sshArguments('ssh://pi'), [...common, '--', 'pi', ...to]);
    assert.deepEqual(sshArguments('ssh://me@pi:2222'), [
      ...common,
      '-l',
      'me',
      '-p',
      '2222',
      '--',
      'pi',
      ...to,
    ]);
    for (const wrong of ['ssh://', 'ssh://pi/path', 'ssh://me:secret@pi'])
      assert.throws(() => sshArguments(wrong), /is no address of a Docker Engine/, wrong);
  });

  it('answers through ssh, whose alias is not looked at here', async () => {
    using files = home({ ssh: SSH });
    chmodSync(files.path('ssh'), 0o755);
    const engine = createServer((request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ ServerVersion: '1', asked: request.url }));
    }).listen(files.path('engine.sock'));
    await using _ = changed({
      PATH: `${files.path('')}:${process.env.PATH}`,
      ENGINE: files.path('engine.sock'),
    });
    const tunnel = await dial('ssh://alias-of-a-pi');
    try {
      const info = await engineAt({ host: tunnel.host }).docker.info();
      assert.deepEqual(info, { ServerVersion: '1', asked: '/info' });
      assert.equal(tunnel.said(), '-T -o ConnectTimeout=10 -- alias-of-a-pi docker system dial-stdio');
    } finally {
      tunnel.close();
      engine.close();
      engine.closeAllConnections();
    }
    assert.ok(!existsSync(tunnel.host.slice('unix://'.length)), 'the socket is left behind');
  });

  it('that ssh cannot reach says what ssh said', async () => {
    using files = home({ ssh: '#!/bin/sh\necho "ssh: no such host" >&2\nexit 255\n' });
    chmodSync(files.path('ssh'), 0o755);
    await using _ = changed({ PATH: `${files.path('')}:${process.env.PATH}` });
    const tunnel = await dial('ssh://nowhere');
    try {
      await assert.rejects(engineAt({ host: tunnel.host }).docker.info());
      assert.equal(tunnel.said(), 'ssh: no such host');
    } finally {
      tunnel.close();
    }
  });
});

/** Variables of this process, as they were before afterwards. */
function changed(variables: Readonly<Record<string, string>>): AsyncDisposable {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  return {
    [Symbol.asyncDispose]: async () => {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    },
  };
}
