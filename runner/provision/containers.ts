// SPDX-License-Identifier: MIT
/**
 * The `container` launcher: each node is a privileged container.
 *
 * All nodes of a run share one network namespace, because a bus is visible only in the namespace in which it was bound:
 * the first container has that namespace (without any network), the others join it. Each directory that holds bus paths
 * is a volume of the run, mounted at the same path in every node.
 */

import { globalAgent as httpAgent } from 'node:http';
import { globalAgent as httpsAgent } from 'node:https';
import { type Duplex, PassThrough } from 'node:stream';
import type Dockerode from 'dockerode';
import { GenericContainer, getContainerRuntimeClient } from 'testcontainers';
import { EnvironmentError } from '../common/errors.ts';
import type { NodeSpec } from '../topology/topology.ts';
import { bounded } from './bounded-agent.ts';
import { connectNode } from './connection.ts';
import { fromEngine } from './engine-answer.ts';
import { reaping } from './first-process.ts';
import { partFrames } from './frames.ts';
import type { NodeConnection } from './lab.ts';
import { LABEL, type Ownership, toLabels } from './labels.ts';

/** By these testcontainers asks an engine before `lead` gives it a client. */
for (const agent of [httpAgent, httpsAgent]) bounded(agent);

export interface ContainerNodes {
  readonly docker: Dockerode;
  readonly image: string;
  readonly mounts: readonly string[];
  readonly owner: Ownership;
  readonly nodes: readonly NodeSpec[];
  /** Directories of the paths of buses. */
  readonly busDirectories: readonly string[];
  readonly onNode: (name: string) => void;
}

/** Starts every node and waits until each said hello. If it fails, `removeRun` must remove what was started before. */
export async function startContainers(lab: ContainerNodes): Promise<Map<string, NodeConnection>> {
  const volumes = await fromEngine(() => createVolumes(lab));
  await fromEngine(() => lead(lab.docker));
  const started = new Map<string, NodeConnection>();
  const [first, ...rest] = lab.nodes;
  if (!first) return started;
  const connect = async (container: NodeContainer) => {
    started.set(container.node.name, await container.connect());
    lab.onNode(container.node.name);
  };
  const owner = new NodeContainer(lab, first, volumes, 'none');
  const owning = connect(owner);
  const network = `container:${await Promise.race([owner.running, owning.then(() => owner.id)])}`;
  const all = rest.map((node) => connect(new NodeContainer(lab, node, volumes, network)));
  const failed = (await Promise.allSettled([owning, ...all])).find((j) => j.status === 'rejected');
  if (failed) throw failed.reason;
  return new Map(lab.nodes.map((n) => [n.name, started.get(n.name) as NodeConnection]));
}

/**
 * Leads testcontainers to the engine of the run, by a client whose answers are bounded. Its own takes another engine of
 * this machine if that one does not answer, and stays with the one that it took first. All its parts share one dockerode.
 * It would pull an image that the engine lacks, from a registry on which anybody may have taken the name of ours.
 */
async function lead({ modem }: Dockerode): Promise<void> {
  const { container } = await getContainerRuntimeClient();
  container.dockerode.modem = modem;
  Object.assign(container.dockerode, { pull: neverPulled });
}

const neverPulled = async (image: string): Promise<never> => {
  throw new EnvironmentError(
    `the engine has no image ${image} any more`,
    'run the command again; it loads the image',
  );
};

/** There is one at least: by its labels the run is still known when somebody has removed all containers. */
async function createVolumes(lab: ContainerNodes): Promise<Map<string, string>> {
  const volumes = new Map(lab.busDirectories.map((path, i) => [path, `afbus-${lab.owner.run}-bus${i}`]));
  const Labels = { ...toLabels(lab.owner), [LABEL.nodes]: namesOf(lab) };
  for (const Name of volumes.size > 0 ? volumes.values() : [`afbus-${lab.owner.run}-mark`])
    await lab.docker.createVolume({ Name, Labels });
  return volumes;
}

const namesOf = ({ nodes }: ContainerNodes): string => nodes.map(({ name }) => name).join(' ');

type WaitStrategy = Parameters<GenericContainer['withWaitStrategy']>[0];

/** One node: a container whose stdin and stdout are the connection to the node agent, attached before it starts. */
class NodeContainer extends GenericContainer {
  readonly #docker: Dockerode;
  readonly #started = Promise.withResolvers<string>();
  #connection: Promise<NodeConnection> | undefined;
  readonly node: NodeSpec;
  id = '';

  constructor(lab: ContainerNodes, node: NodeSpec, volumes: ReadonlyMap<string, string>, network: string) {
    super(lab.image);
    this.#docker = lab.docker;
    this.node = node;
    this.createOpts.OpenStdin = true;
    this.createOpts.AttachStdin = true;
    // As the first process, a shell gets no other signal that would end it.
    this.createOpts.StopSignal = 'SIGKILL';
    this.createOpts.Hostname = network === 'none' ? node.name : undefined;
    this.withName(`afbus-${lab.owner.run}-${node.name}`)
      .withCommand(['node', node.name])
      .withEnvironment({ ...node.env })
      .withLabels({ ...toLabels(lab.owner, node.name), [LABEL.nodes]: namesOf(lab) })
      .withPrivilegedMode()
      .withNetworkMode(network)
      .withEntrypoint(['sh', '-c', reaping('"$@"'), 'sh', 'node', '/opt/afbus-topo/agent.cjs'])
      .withBindMounts([
        ...[...volumes].map(([target, source]) => ({ source, target })),
        ...lab.mounts.map((path) => ({ source: path, target: path, mode: 'ro' as const })),
      ])
      .withAutoCleanup(false)
      .withWaitStrategy(this.#untilHello());
  }

  /** Resolves with the id when the container runs: then others can join its network namespace. */
  get running(): Promise<string> {
    return this.#started.promise;
  }

  async connect(): Promise<NodeConnection> {
    try {
      await this.start();
      return await (this.#connection as Promise<NodeConnection>);
    } catch (cause) {
      if (cause instanceof EnvironmentError) throw cause;
      throw new EnvironmentError(
        `the container of node "${this.node.name}" did not start: ${(cause as Error).message}`,
        'see "afbus-topo doctor"; "afbus-topo host stop" gives a fresh host on the next run',
        { cause },
      );
    }
  }

  protected override async containerCreated(id: string): Promise<void> {
    this.id = id;
    const container = this.#docker.getContainer(id);
    const stream = await container.attach({
      stream: true,
      stdin: true,
      stdout: true,
      stderr: true,
      hijack: true,
    });
    const output = new PassThrough();
    const errors = new PassThrough();
    partFrames(stream as Duplex, output, errors);
    stream.on('close', () => output.end()).on('end', () => output.end());
    stream.on('error', (e) => output.destroy(e));
    this.#connection = connectNode(this.node.name, { input: stream as Duplex, output, errors });
    this.#connection.catch(() => {}); // the wait strategy reports it
  }

  protected override async containerStarting(): Promise<void> {
    this.#started.resolve(this.id);
  }

  /** Ready when the node agent says hello; nothing is looked for in a log. */
  #untilHello(): WaitStrategy {
    return {
      waitUntilReady: async () => void (await this.#connection),
      withStartupTimeout: () => this.#untilHello(),
      isStartupTimeoutSet: () => false,
      getStartupTimeout: () => 0,
    };
  }
}
