// SPDX-License-Identifier: MIT
// Whose error it is if nodes do not start.
import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import { describe, it } from 'mocha';
import { EnvironmentError } from '../../../runner/common/errors.ts';
import { plan } from '../../../runner/plan/index.ts';
import type { Backend } from '../../../runner/provision/backend.ts';
import { engineSite } from '../../../runner/provision/site.ts';
import { ok } from '../load/helpers.ts';

const FILE = 'buses: { car: {} }\nclients: { a: {}, b: {} }\ntraffic: [{ a -> b: "x" }]';
const OWNER = { run: 'r', topology: 't', file: 'f', started: '', owner: '', kept: false };

describe('a site', () => {
  const startAt = (parts: Partial<Record<keyof Backend, unknown>>, launcher: 'container' | 'process') => {
    const backend = { where: {}, environment: {}, broken: new Promise(() => {}), ...parts };
    const site = engineSite(backend as unknown as Backend, launcher);
    return site.start(plan(ok(FILE), { seed: 1 }), OWNER, () => {});
  };
  const fails = async (): Promise<Duplex> => {
    throw new Error('not an engine');
  };

  it('leaves an error as it is that no engine gave', async () => {
    const process = { channel: fails, agentOnHost: async () => 'agent' };
    await assert.rejects(startAt(process, 'process'), (error: Error) => {
      assert.ok(!(error instanceof EnvironmentError));
      return error.message === 'not an engine';
    });
  });

  it('says that the engine does not do what it was asked for if that gave the error', async () => {
    const docker = { createVolume: fails };
    await assert.rejects(startAt({ docker }, 'container'), (error: Error) => {
      assert.ok(error instanceof EnvironmentError);
      return error.message === 'the Docker Engine does not do what it was asked for: not an engine';
    });
  });
});
