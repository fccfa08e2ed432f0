// SPDX-License-Identifier: MIT
/**
 * `afbus-topo`: the command line. The code of a verb is loaded when the verb is called, so `validate` never loads
 * Docker code.
 */

import { Argument, Command, CommanderError } from 'commander';
import { EXIT } from '../common/errors.ts';
import { neutralLines } from '../common/neutral.ts';
import { sayExitCodes } from './exit-codes.ts';
import {
  formatOption,
  fuzzBackendOption,
  kernelOption,
  playOptions,
  repeatOption,
  runsOption,
  seedOption,
  setOption,
  strictOption,
} from './options.ts';
import { version } from './package.ts';
import { report } from './report-error.ts';
import { guardStreams } from './streams.ts';

const program = new Command('afbus-topo')
  .description(
    'Describe buses, masters, clients and traffic in YAML; play them on a real AF_BUS; prove every delivery.',
  )
  .version(version(), '-V, --version')
  .configureOutput({ writeErr: (text) => void process.stderr.write(neutralLines(text)) })
  .showSuggestionAfterError()
  .exitOverride()
  .helpCommand(false)
  .enablePositionalOptions()
  .addHelpText(
    'after',
    `
Examples:
  afbus-topo init cabin.topo.yaml                   write a topology to start from
  afbus-topo run --backend sim cabin.topo.yaml      play it on a simulated bus: no kernel, milliseconds
  afbus-topo plan --why cabin.topo.yaml             what would be started and sent, and the outcome that must follow
  afbus-topo graph --format svg cabin.topo.yaml     draw it
  afbus-topo validate --format sarif *.topo.yaml    every mistake with its place: no host, no Docker
  afbus-topo up topologies/quickstart.topo.yaml     bring up, play, check, leave running
  afbus-topo run topologies/*.topo.yaml             play each, take everything down
  afbus-topo run --launcher process my.topo.yaml    plain processes instead of containers: quicker
  afbus-topo run --format json my.topo.yaml         the verdict as JSON on stdout
  afbus-topo completion bash                        complete all of this in a shell
  afbus-topo doctor                                 what this machine has, lacks and still runs`,
  );

const verb = (name: string, description: string) => program.command(name).description(description);

function withPlayOptions(command: Command): Command {
  for (const option of playOptions()) command.addOption(option);
  return command;
}

withPlayOptions(
  verb(
    'up [file]',
    'bring up, play, check, print the verdict, leave it running; by default the only topology of this folder',
  ),
)
  .option('--rm', 'take it down afterwards')
  .option('--replace', 'take down what is up under the same name first')
  .addHelpText('after', '\nExample: afbus-topo up topologies/quickstart.topo.yaml && afbus-topo ps')
  .action(async (file, flags) => (await import('./up.ts')).up(file, flags));

withPlayOptions(verb('run <files...>', 'play each file and take it down again'))
  .addOption(repeatOption())
  .addHelpText(
    'after',
    '\nExample: afbus-topo run --kernel 6.1 --format junit topologies/*.topo.yaml > junit.xml',
  )
  .action(async (files, flags) => (await import('./run.ts')).runFiles(files, flags));

verb('down [names...]', 'take down what is up; no error if nothing is')
  .addOption(formatOption(['text', 'json']))
  .option('--all', 'everything that this tool has brought up, whatever its name')
  .addHelpText('after', '\nExample: afbus-topo down quickstart')
  .action(async (names, flags) => (await import('./down.ts')).down(names, flags));

verb('validate <files...>', 'check files: every error and warning with its place; starts nothing')
  .addOption(formatOption(['text', 'json', 'github', 'sarif']))
  .addOption(setOption())
  .addOption(strictOption())
  .addHelpText(
    'after',
    '\nExample: afbus-topo validate topologies/*.topo.yaml; with - for a file, stdin is read',
  )
  .action(async (files, flags) => (await import('./validate.ts')).validate(files, flags));

verb(
  'config <file>',
  'print a file with its includes, inherited values and defaults filled in; starts nothing',
)
  .option('--explain', 'add a comment to each value that says where it comes from')
  .addOption(formatOption(['yaml', 'json']).default('yaml'))
  .addOption(setOption())
  .addHelpText('after', '\nExample: afbus-topo config --explain my.topo.yaml')
  .action(async (file, flags) => (await import('./config.ts')).config(file, flags));

verb('init [file]', 'write a topology to start from; never overwrites')
  .addHelpText('after', '\nExample: afbus-topo init cabin.topo.yaml')
  .action(async (file) => (await import('./init.ts')).init(file));

verb('plan <file>', 'show what would be started and sent, and what the outcome must be; starts nothing')
  .addOption(setOption())
  .addOption(formatOption(['text', 'json']))
  .addOption(seedOption('seed from which sizes are drawn').default(0))
  .option('--why', 'also show the rules of the contract that make the model expect it')
  .addHelpText('after', '\nExample: afbus-topo plan --why my.topo.yaml')
  .action(async (file, flags) => (await import('./plan.ts')).plan(file, flags));

verb('graph <file>', 'draw buses, nodes, clients and groups')
  .addOption(setOption())
  .addOption(formatOption(['mermaid', 'dot', 'svg']).default('mermaid'))
  .addHelpText('after', '\nExample: afbus-topo graph --format svg my.topo.yaml > my.svg')
  .action(async (file, flags) => (await import('./graph.ts')).graph(file, flags));

verb('schema', 'print the JSON Schema of the language, for editors and other tools')
  .addOption(formatOption(['json', 'markdown']).default('json'))
  .addHelpText('after', '\nExample: afbus-topo schema > topology.schema.json')
  .action(async (flags) => (await import('./schema.ts')).schema(flags));

verb('ps', 'list what is up')
  .addOption(formatOption(['text', 'json']))
  .addHelpText('after', '\nExample: afbus-topo ps --format json')
  .action(async (flags) => (await import('./ps.ts')).ps(flags));

verb('logs <name> [node]', 'print what the nodes of a topology wrote to their logs')
  .addHelpText('after', '\nExample: afbus-topo logs quickstart gateway')
  .action(async (name, node) => (await import('./logs.ts')).logs(name, node));

verb('exec <name> <node> <command...>', 'run a command inside a node')
  .passThroughOptions()
  .option('-i, --interactive', 'pass input from a terminal, too; what is piped in is always passed')
  .option('-t, --tty', 'give the command a terminal of its own')
  .addHelpText(
    'after',
    '\nExamples: afbus-topo exec quickstart gateway cat /proc/net/protocols' +
      '\n          afbus-topo exec -it quickstart gateway sh',
  )
  .action(async (name, node, command, flags) => (await import('./exec.ts')).exec(name, node, command, flags));

verb('fuzz', 'play random topologies, simulated and on a kernel, and look for a difference')
  .addOption(fuzzBackendOption())
  .addOption(kernelOption())
  .addOption(seedOption('seed from which the topologies are drawn'))
  .addOption(runsOption())
  .option('--all', 'go on after the first failure')
  .option('--out <directory>', 'where failing topologies are saved, made as small as possible', '.')
  .addOption(formatOption(['text', 'json']))
  .option('-q, --quiet', 'no progress on stderr')
  .addHelpText('after', '\nExample: afbus-topo fuzz --seed 1 --runs 200 --backend vm')
  .action(async (flags) => (await import('./fuzz.ts')).fuzzAll(flags));

verb('doctor', 'show what this machine has, lacks and still runs, with the fix for each')
  .addOption(formatOption(['text', 'json']))
  .addHelpText('after', '\nExample: afbus-topo doctor')
  .action(async (flags) => (await import('./doctor.ts')).doctor(flags));

const host = verb('host', 'control the AF_BUS host: a virtual machine whose kernel has the module')
  .helpCommand(false)
  .addHelpText('after', '\nExample: afbus-topo host start --kernel 6.1 && afbus-topo host status');
for (const [name, description] of [
  ['build', "build the host's image"],
  ['start', 'start the host, building what is missing'],
  ['stop', 'stop the host and all that runs on it'],
  ['status', 'say what state the host is in'],
  ['shell', 'open a root shell inside the host'],
  ['logs', 'print the kernel console of the host'],
  ['clean', "remove the host's images; the next start builds them anew"],
] as const) {
  const sub = host
    .command(name)
    .description(description)
    .addOption(kernelOption())
    .addHelpText('after', `\nExample: afbus-topo host ${name}`);
  if (name === 'status') sub.addOption(formatOption(['text', 'json']));
  if (name === 'start')
    sub.option(
      '--port <port>',
      'serve the Docker API on this TCP port of 127.0.0.1, instead of a socket of your own',
    );
  sub.action(async (flags) => (await import('./host.ts')).hostVerbs[name](flags));
}

verb('dbus-daemon', 'run a D-Bus message bus whose transport is AF_BUS, until it is stopped')
  .requiredOption(
    '--address <address>',
    'where the bus listens: afbus:path=/run/my-bus or afbus:abstract=my-bus',
  )
  .option('--listen <addresses...>', 'where AF_UNIX programs connect: unix:path=/run/my-legacy-bus')
  .option('--config <file>', "dbus-daemon's configuration; without one the bus is for its own user alone")
  .option(
    '--print-address [fd]',
    'print the addresses to this descriptor once clients can connect; default 1',
  )
  .addHelpText(
    'after',
    `
Example:
  afbus-topo dbus-daemon --address afbus:abstract=my-bus --listen unix:path=$XDG_RUNTIME_DIR/my-bus --print-address &
  DBUS_SESSION_BUS_ADDRESS=unix:path=$XDG_RUNTIME_DIR/my-bus busctl --user list`,
  )
  .action(async (flags) => (await import('./dbus-daemon.ts')).dbusDaemon(flags));

verb('completion', 'print a script that completes the command line in a shell')
  .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
  .addHelpText(
    'after',
    `
Examples:
  source <(afbus-topo completion bash)                                        in ~/.bashrc
  source <(afbus-topo completion zsh)                                         in ~/.zshrc, after compinit
  afbus-topo completion fish > ~/.config/fish/completions/afbus-topo.fish`,
  )
  .action(async (shell) => (await import('./completion/index.ts')).completion(program, shell));

verb('version', 'print the versions of this tool, of Node, and of the kernels that it is made for')
  .addOption(formatOption(['text', 'json']))
  .addHelpText('after', '\nExample: afbus-topo version --format json')
  .action(({ format }) => {
    const [own, node, kernels] = [version(), process.versions.node, ['6.1', '6.12']];
    if (format === 'json')
      console.log(JSON.stringify({ schemaVersion: 1, version: own, node, kernels }, null, 2));
    else console.log(`afbus-topo ${own}, Node ${node}, for Linux ${kernels.join(' and ')}`);
  });

verb('help [verbs...]', 'display help for a verb')
  .addHelpText('after', '\nExample: afbus-topo help host start')
  .action(async (verbs) => (await import('./help.ts')).help(program, verbs));

sayExitCodes(program);
guardStreams();
try {
  await program.parseAsync();
} catch (e) {
  if (e instanceof CommanderError) process.exitCode = e.exitCode === 0 ? EXIT.pass : EXIT.invalid;
  else process.exitCode = report(e);
}
