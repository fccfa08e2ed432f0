// SPDX-License-Identifier: MIT
import { type Flag, type Node, nodesOf, type Values } from './tree.ts';

export function fish(root: Node): string {
  const name = `__${root.name.replace(/-/g, '_')}`;
  // The verbs so far are what is not a flag; a verb's arguments are no verbs, so nothing is offered after them twice.
  return `# fish completion for ${root.name}
function ${name}_at
    set -l words (string match -v -- '-*' (commandline -opc)[2..-1])
    set -l count (count $argv)
    test (count $words) -ge $count; or return 1
    test $count -eq 0; or test "$words[1..$count]" = "$argv"
end
function ${name}_before_verb
    ${name}_at $argv; and test (count (string match -v -- '-*' (commandline -opc)[2..-1])) -eq (count $argv)
end
complete -c ${root.name} -f
${nodesOf(root)
  .flatMap((node) => linesOf(node, root.name, name))
  .join('\n')}
`;
}

function linesOf(node: Node, command: string, name: string): string[] {
  const at = `${name}_at ${node.path}`.trim();
  const before = `${name}_before_verb ${node.path}`.trim();
  const last = node.values.at(-1);
  return [
    ...node.children.map(
      (child) => `complete -c ${command} -n '${before}' -a ${child.name} -d ${quoted(child.description)}`,
    ),
    ...(last === undefined || last === 'unknown'
      ? []
      : [`complete -c ${command} -n '${at}' ${argumentsOf(last)}`]),
    ...node.flags.map(
      (flag) => `complete -c ${command} -n '${node.path === '' ? before : at}' ${flagOf(flag)}`,
    ),
  ];
}

function flagOf({ long, short, description, values }: Flag): string {
  const names = [`-l ${long.replace(/^--/, '')}`, ...(short ? [`-s ${short.replace(/^-/, '')}`] : [])];
  const taken = values === undefined ? [] : [`-x ${values === 'unknown' ? '' : argumentsOf(values)}`.trim()];
  return [...names, ...taken, `-d ${quoted(description)}`].join(' ');
}

function argumentsOf(values: Values): string {
  if (typeof values !== 'string') return `-a '${values.join(' ')}'`;
  if (values === 'up') return `-a '(afbus-topo ps 2>/dev/null | sed "1d;s/ .*//")'`;
  return values === 'directory'
    ? "-a '(__fish_complete_directories)'"
    : "-k -a '(__fish_complete_suffix .topo.yaml)'";
}

const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
