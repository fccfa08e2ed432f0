#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# dockerode: followProgress() reports a failed build, and a failed load, as finished without an error.
#
# Guess: the callback of docker.modem.followProgress(stream, (error, output) => …) gets an error if the build or the load
# failed. The README of dockerode shows it with "reject" for an error and "resolve" otherwise.
#
# What happens: the engine answers 200 before it begins, and writes a failure as the last object of the stream: { error,
# errorDetail }. followProgress() (lib/modem.js of docker-modem 5.0.7) parses these objects and looks into none. Its error is
# that of the connection. So a build that stopped at its second step says null, and so does the load of an archive that ends
# too early. The same archive given to importImage() does reject: there the engine answers 500.
#
# For a tester of a bus: the next step uses the image of that name. If there is an older one, the run tests yesterday's program.
# If there is none, the error is "no such image" and hides the cause. Look for an object with "error" in the output.
#
# Our project: the docker backend loads its image through followProgress(), so it has to look into the output as well.
. "$(dirname "$0")/lib/finding.sh"

debian docker.io=20.10.24+dfsg1-1+deb12u1+b6 containerd=1.6.20~ds1-1+deb12u3 runc=1.1.5+ds1-1+deb12u1 \
	libdevmapper1.02.1=2:1.02.185-2
npm_packages dockerode@5.0.1 docker-modem@5.0.7
guess 'an error each time'

engine() {
	PATH=$ROOT/usr/bin:$ROOT/usr/sbin:$PATH LD_LIBRARY_PATH=$LIBRARIES exec dockerd \
		--host "unix://$tmp/engine.sock" --pidfile "$tmp/pid" --data-root "$tmp/data" --exec-root "$tmp/exec" \
		--storage-driver vfs --bridge none --iptables=false --ip6tables=false --ip-forward=false
}

engine >"$tmp/engine.log" 2>&1 &
engine_pid=$!
trap 'kill "$engine_pid" && wait "$engine_pid" || true; rm -rf "$tmp"' EXIT

mkdir "$tmp/context"
printf 'FROM scratch\nCOPY program /\n' >"$tmp/context/Dockerfile"
tar -C "$tmp/context" -cf "$tmp/context.tar" Dockerfile
head -c 100 "$tmp/context.tar" >"$tmp/cut.tar"
cat >"$tmp/follow.cjs" <<'NODE'
const { setTimeout: sleep } = require('node:timers/promises');
const Docker = require('dockerode');
const [socketPath, context, cut] = process.argv.slice(2);
const docker = new Docker({ socketPath });

async function follow(what, begin) {
  const stream = await begin().catch((error) => console.log(`${what}: the engine answers ${error.statusCode}`));
  if (!stream) return;
  const [error, output] = await new Promise((done) => docker.modem.followProgress(stream, (...said) => done(said)));
  const last = 'error' in output.at(-1) ? 'an error' : 'none';
  console.log(`${what}: the engine answers ${stream.statusCode}; followProgress() says ${error}; the last object has ${last}`);
}

async function main() {
  for (let tries = 0; tries < 200 && !(await docker.ping().catch(() => false)); tries++) await sleep(100);
  await follow('buildImage, of a file that is not there', () => docker.buildImage(context, { t: 'example:1' }));
  await follow('loadImage, the archive ends too early', () => docker.loadImage(cut));
  await follow('importImage, the archive ends too early', () => docker.importImage(cut, {}));
}

main();
NODE
observe node "$tmp/follow.cjs" "$tmp/engine.sock" "$tmp/context.tar" "$tmp/cut.tar"
as_described <<'TEXT'
buildImage, of a file that is not there: the engine answers 200; followProgress() says null; the last object has an error
loadImage, the archive ends too early: the engine answers 200; followProgress() says null; the last object has an error
importImage, the archive ends too early: the engine answers 500
TEXT
