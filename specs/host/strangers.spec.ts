// SPDX-License-Identifier: MIT
// A host in which something has changed, or in which a file of a stranger was played, serves nobody afterwards.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, describe, it } from 'mocha';
import { LIMITS } from '../../runner/common/limits.ts';
import { consoleLines, type Host, runInHost, start, stop } from '../../runner/host/host.ts';
import { freePorts } from '../../runner/host/ports.ts';
import { writeHost } from '../../runner/host/state.ts';
import { cli, folder } from '../helpers/cli.ts';
import { pathOf } from './scene.ts';

const KERNEL = process.env.AFBUS_KERNEL === '6.1' ? '6.1' : '6.12';

describe('the host, after strangers', function () {
  this.timeout(600_000);
  after(() => stop({ kernel: KERNEL }));

  it('has its agent read-only, and is replaced if that was changed nevertheless', async () => {
    const host = await start({ kernel: KERNEL });
    assert.equal((await start({ kernel: KERNEL })).pid, host.pid);
    const plain = await runInHost(host, ['sh', '-c', `echo >> ${AGENT}`]);
    assert.notEqual(plain.code, 0);
    await tamperWith(host);
    assert.notEqual((await start({ kernel: KERNEL })).pid, host.pid);
  });

  it('runs in a QEMU that may not do what it need not', async () => {
    const { pid } = await start({ kernel: KERNEL });
    assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^Seccomp:\t2$/m);
  });

  it('gets the latest files if it lacks them, and is replaced if it was tampered with besides', async () => {
    const host = await start({ kernel: KERNEL });
    const stale = await outdate(host);
    assert.equal((await start({ kernel: KERNEL })).pid, host.pid);
    assert.deepEqual((await start({ kernel: KERNEL })).payloadSums, host.payloadSums);
    await outdate(stale);
    await tamperWith(host);
    await claimBusy(host);
    await assert.rejects(start({ kernel: KERNEL }), /something in this one has changed.*1 containers/);
    await runInHost(host, ['rmdir', BUSY]);
    assert.notEqual((await start({ kernel: KERNEL })).pid, host.pid);
  });

  it('is a fresh one for files that are not trusted, and again afterwards', async () => {
    const trusted = await start({ kernel: KERNEL });
    const first = await start({ kernel: KERNEL, untrusted: true });
    await claimBusy(first);
    const second = await start({ kernel: KERNEL, untrusted: true });
    const again = await start({ kernel: KERNEL });
    assert.equal(new Set([trusted, first, second, again].map(({ pid }) => pid)).size, 4);
    assert.equal((await start({ kernel: KERNEL })).pid, again.pid);
  });

  it('stays if a file that is not trusted is to stay up in it', async () => {
    const host = await start({ kernel: KERNEL, untrusted: true, keep: true });
    await claimBusy(host);
    await assert.rejects(start({ kernel: KERNEL }), /plays files that are not trusted, and 1 containers/);
    await stop({ kernel: KERNEL });
  });

  it('plays for its owner while another user connects without end to all its sockets and ports', async function () {
    const host = await start({ kernel: KERNEL });
    if (host.exposed) this.skip(); // there are no namespaces here: SECURITY.md says what that means
    const all = [...portsOf(host), ...[host.docker.host, host.channel].map(pathOf)];
    const other = spawn('setpriv', [...ANOTHER, 'perl', '-e', CONNECT, ...all]);
    try {
      const [letIn] = await once(other.stdout, 'data');
      using files = folder({ 'it.topo.yaml': CHAT });
      const args = ['run', '--kernel', KERNEL, '--no-untrusted', '--launcher', 'process'];
      const { code, stderr } = await cli([...args, files.path('it.topo.yaml')]);
      assert.equal(code, 0, stderr);
      assert.equal(String(letIn), 'let in by: \n');
    } finally {
      other.kill();
    }
  });

  const PORTS: Readonly<Record<string, (host: Host) => number>> = {
    engine: ({ docker }) => Number(new URL(docker.host).port),
    channel: ({ channel }) => Number(new URL(channel).port),
  };
  let port: number;
  const startAtPorts = async () => {
    port ??= (await freePorts())?.[0] ?? 0;
    return start({ kernel: KERNEL, port });
  };
  for (const [what, portOf] of Object.entries(PORTS)) {
    it(`ends connections to its ${what} that show no certificate, and meanwhile answers its owner`, async () => {
      const host = await startAtPorts();
      const before = socketsOf(host).length;
      const held: Held[] = [];
      for (let n = 0; n < 80; n++) held.push(await hold(portOf(host)));
      const seconds = await secondsOf(() => ping(host));
      assert.ok(seconds < 10, `the engine answered its owner after ${seconds} s`);
      assert.equal((await runInHost(host, ['true'])).code, 0);
      await Promise.all(held.map(({ ended }) => ended));
      assert.ok(
        socketsOf(host).length < before + held.length / 2,
        'those that are ended take nothing of the host',
      );
      for (const { close } of held) close();
      assert.equal((await runInHost(host, ['true'])).code, 0);
    });

    it(`tells another user nothing on the port of its ${what}, and is held up by none`, async () => {
      const host = await startAtPorts();
      const other = spawn('setpriv', [...ANOTHER, 'perl', '-e', KNOCK, `${portOf(host)}`]);
      const heard = text(other.stdout);
      assert.equal((await runInHost(host, ['true'])).code, 0);
      await ping(host);
      assert.equal((await heard).trim(), '');
      assert.notEqual((await runInHost(host, ['ls', '/tmp/by-another'])).code, 0);
    });
  }

  it('fills no disk by its console, whose last lines stay', async () => {
    const host = await start({ kernel: KERNEL });
    const flood = `yes '\u001b[2J::error::forged' | head -c 2500000 >/dev/ttyS0; echo the last >/dev/ttyS0`;
    assert.equal((await runInHost(host, ['sh', '-c', flood])).code, 0);
    while (!consoleLines(host.consoleFile).includes('the last')) await new Promise(setImmediate);
    assert.ok(consoleSize(host) <= LIMITS.consoleBytes.most);
  });
});

const BUSY = '/var/lib/docker/containers/busy';

/** As if a container ran in it. */
async function claimBusy(host: Host): Promise<void> {
  assert.equal((await runInHost(host, ['mkdir', BUSY])).code, 0);
}

const AGENT = '/opt/afbus-topo/agent.cjs';

async function tamperWith(host: Host): Promise<void> {
  const forced = `mount -o remount,bind,rw /opt/afbus-topo && echo >> ${AGENT}`;
  const { code, stderr } = await runInHost(host, ['sh', '-c', forced]);
  assert.equal(code, 0, stderr);
}

/** As if an earlier build had brought its agent into it. */
async function outdate(host: Host): Promise<Host> {
  await tamperWith(host);
  const { stdout } = await runInHost(host, ['sha256sum', AGENT]);
  const payloadSums = host.payloadSums?.with(2, stdout.slice(0, 64)) ?? [];
  const outdated = { ...host, payloadSums };
  writeHost(outdated);
  return outdated;
}

interface Held {
  /** The other side has ended it. */
  readonly ended: Promise<void>;
  readonly close: () => void;
}

/** A connection that says nothing and closes nothing by itself. */
async function hold(port: number): Promise<Held> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true }).on('error', () => {});
  const ended = new Promise<void>((resolve) => {
    for (const event of ['end', 'close']) socket.once(event, () => resolve());
  });
  await once(socket, 'connect');
  socket.resume();
  return { ended, close: () => socket.destroy() };
}

/** Of its virtual machine: `socket:[inode]`. */
const socketsOf = ({ pid }: Host): readonly string[] =>
  readdirSync(`/proc/${pid}/fd`)
    .map((fd) => linkOf(`/proc/${pid}/fd/${fd}`))
    .filter((link) => link.startsWith('socket:'));

/** At which it listens where all users of this machine are. */
function portsOf(host: Host): readonly string[] {
  const own = socketsOf(host);
  const sockets = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const listening = sockets.filter(([, , , state]) => state === '0A');
  return listening
    .filter((fields) => own.includes(`socket:[${fields[9]}]`))
    .map(([, local]) => `${Number.parseInt(local?.split(':')[1] ?? '', 16)}`);
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // closed meanwhile
  }
}

/** Asks the engine anew, as its owner. */
async function ping({ docker }: Host): Promise<void> {
  const read = (name: string) => readFileSync(`${docker.certDir}/${name}`);
  const credentials = { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
  const asked = request({
    host: '127.0.0.1',
    port: new URL(docker.host).port,
    path: '/_ping',
    ...credentials,
  }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  assert.equal(await text(answer), 'OK');
}

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
}

const ANOTHER = ['--reuid=65534', '--regid=65534', '--clear-groups'];

/** Asks in plain words and in those of a greeting, and prints all that comes back as long as the port is open. */
const KNOCK = `
use IO::Socket::INET;
for my $say ("GET /containers/json HTTP/1.0\\r\\n\\r\\n", "touch /tmp/by-another\\n", "\\x16\\x03\\x01\\x00\\x05hello") {
  my $port = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$ARGV[0]") or die "no port: $!";
  print $port $say;
  $port->flush;
  print grep { /containers|HTTP|[{}]/ } <$port>;
}
`;

/** Ports and paths of sockets: prints those that let him in, and connects to them as long as he lives. */
const CONNECT = `
use Socket;
$| = 1;
sub tried {
  my $path = $_[0] =~ m{/};
  socket my $socket, $path ? PF_UNIX : PF_INET, SOCK_STREAM, 0 or die "no socket: $!";
  return connect $socket, $path ? pack_sockaddr_un($_[0]) : pack_sockaddr_in($_[0], INADDR_LOOPBACK);
}
my @open = grep { tried($_) } @ARGV;
print "let in by: @open\\n";
while (@open) {
  for (@open) {
    socket my $socket, PF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0 or die "no socket: $!";
    connect $socket, pack_sockaddr_in($_, INADDR_LOOPBACK);
  }
}
`;

const CHAT = `name: owned
nodes: { here: {} }
buses: { cabin: { path: "@owned", master: { node: here } } }
clients: { camera: { node: here }, lidar: { node: here } }
traffic:
  - camera -> lidar: "hi"
    expect: { recipients: [lidar] }
`;

function consoleSize({ consoleFile }: Host): number {
  const folder = dirname(consoleFile);
  const names = readdirSync(folder).filter((name) => /^console\.(1\.)?log$/.test(name));
  return names.reduce((sum, name) => sum + statSync(`${folder}/${name}`).size, 0);
}
