// SPDX-License-Identifier: MIT
/**
 * Bounds what a Docker Engine answers. dockerode keeps an answer until it is whole, and an engine in which a stranger's
 * file was played may have been replaced by a program whose answer has no end. Streams of containers are no answers:
 * their connections are upgraded.
 */

import { type Agent, type ClientRequest, IncomingMessage } from 'node:http';
import { EnvironmentError } from '../common/errors.ts';
import { LIMITS } from '../common/limits.ts';

/** Each request passes here before it gets a connection. Node's types lack it. */
type Requests = { addRequest(request: ClientRequest, ...rest: readonly unknown[]): void };

/** The same agent, whose answers are bounded. */
export function bounded<A extends Agent>(agent: A): A {
  const requests = agent as unknown as Requests;
  const add = requests.addRequest.bind(agent);
  requests.addRequest = (request, ...rest) => {
    request.once('response', (answer: IncomingMessage) => bound(request, answer));
    add(request, ...rest);
  };
  return agent;
}

/** What fails after the head of an answer came, dockerode does not notice: it listens for errors of the request. */
function bound(request: ClientRequest, answer: IncomingMessage): void {
  const { most } = LIMITS.answerBytes;
  let bytes = 0;
  answer.on('error', (error) => request.emit('error', error));
  answer.push = (part: Buffer | null) => {
    bytes += part?.length ?? 0;
    if (bytes > most) answer.destroy(endless(most));
    return IncomingMessage.prototype.push.call(answer, part);
  };
}

const endless = (most: number): EnvironmentError =>
  new EnvironmentError(
    `the Docker Engine gives an answer of more than ${most} bytes`,
    'if it is a log, "docker logs" shows it; else what was played there may have replaced the engine: "afbus-topo host stop" ends the AF_BUS host',
  );
