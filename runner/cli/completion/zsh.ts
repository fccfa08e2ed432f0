// SPDX-License-Identifier: MIT
import type { Flag, Node, Values } from './tree.ts';

/** A function for each verb, as zsh's own `_arguments` wants them. */
export function zsh(root: Node): string {
  const name = functionOf(root, root);
  return `#compdef ${root.name}
${functions(root, root).join('\n')}
if [ "$funcstack[1]" = ${name} ]; then ${name} "$@"; else compdef ${name} ${root.name}; fi
`;
}

const functionOf = (node: Node, root: Node): string =>
  `_${[root.name, node.path].join(' ').trim().replace(/[- ]/g, '_')}`;

function functions(node: Node, root: Node): string[] {
  const own = node.children.length > 0 ? withVerbs(node, root) : withArguments(node, root);
  return [own, ...node.children.flatMap((child) => functions(child, root))];
}

function withVerbs(node: Node, root: Node): string {
  const verbs = node.children.map((child) => `      ${quoted(`${child.name}:${child.description}`)}`);
  const calls = node.children.map((child) => `      ${child.name}) ${functionOf(child, root)} ;;`);
  return `${functionOf(node, root)}() {
  local state line
  local -a verbs
  _arguments -C ${[...flagsOf(node), "'1: :->verb'", "'*:: :->rest'"].join(' ')}
  case $state in
    verb) verbs=(
${verbs.join('\n')}
      ); _describe verb verbs ;;
    rest) case $words[1] in
${calls.join('\n')}
      esac ;;
  esac
}`;
}

function withArguments(node: Node, root: Node): string {
  const last = node.values.length - 1;
  const values = node.values.map((value, n) =>
    quoted(`${n === last ? '*' : n + 1}:${typeof value === 'string' ? value : 'value'}:${action(value)}`),
  );
  return `${functionOf(node, root)}() {
  _arguments ${[...flagsOf(node), ...values].join(' \\\n    ')}
}`;
}

const flagsOf = ({ flags }: Node): string[] =>
  flags.flatMap((flag) => [flag.long, ...(flag.short ? [flag.short] : [])].map((name) => flagOf(name, flag)));

function flagOf(name: string, { description, values }: Flag): string {
  const words = description.replace(/[[\]:]/g, (char) => `\\${char}`);
  return quoted(`${name}[${words}]${values === undefined ? '' : `:value:${action(values)}`}`);
}

function action(values: Values): string {
  if (typeof values !== 'string') return `(${values.join(' ')})`;
  if (values === 'topology') return '_files -g "*.topo.yaml"';
  if (values === 'up') return '{compadd -- ${(f)"$(afbus-topo ps 2>/dev/null | sed "1d;s/ .*//")"}}';
  return values === 'directory' ? '_files -/' : ' ';
}

const quoted = (text: string): string => `'${text.replace(/'/g, "'\\''")}'`;
