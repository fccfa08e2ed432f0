// SPDX-License-Identifier: MIT
import { type Node, nodesOf, type Values } from './tree.ts';

/** For any bash, without the bash-completion package. */
export function bash(root: Node): string {
  const nodes = nodesOf(root);
  const verbs = nodes.slice(1).map(({ path }) => `'${path}'`);
  const name = `_${root.name.replace(/-/g, '_')}`;
  return `# bash completion for ${root.name}
${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} path= flags= wanted= n
  # An equals sign is a word of its own to bash.
  if [ "$cur" = = ]; then cur=; elif [ "$prev" = = ]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  for ((n = 1; n < COMP_CWORD; n++)); do
    case "\${path:+$path }\${COMP_WORDS[n]}" in
      ${verbs.join(' | ')}) path="\${path:+$path }\${COMP_WORDS[n]}" ;;
    esac
  done
  case "$path" in
${nodes.map(caseOf).join('\n')}
  esac
  case "$cur:$wanted" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$cur")) ;;
    *:@topology) ${name}_files -f ;;
    *:@directory) ${name}_files -d ;;
    *:@up) ${name}_up ;;
    *) COMPREPLY=($(compgen -W "$wanted" -- "$cur")) ;;
  esac
}
${name}_files() {
  local file
  COMPREPLY=()
  while IFS= read -r file; do
    COMPREPLY+=("$file")
  done < <(compgen -d -- "$cur"; [ "$1" = -d ] || compgen -f -X '!*.topo.yaml' -- "$cur")
  compopt -o filenames 2>/dev/null
}
# A name may be a stranger's. compgen would run the commands in it.
${name}_up() {
  local up
  COMPREPLY=()
  while IFS= read -r up; do
    case $up in "$cur"*) COMPREPLY+=("$(printf %q "$up")") ;; esac
  done < <(${root.name} ps 2>/dev/null | sed '1d;s/ .*//')
}
complete -F ${name} ${root.name}
`;
}

/** What may follow: after a flag its values, else flags, verbs and arguments. */
function caseOf({ path, flags, children, values }: Node): string {
  const takers = flags.flatMap(({ long, short, values: its }) =>
    its === undefined
      ? []
      : [`        ${[long, ...(short ? [short] : [])].join('|')}) wanted='${words(its)}' ;;`],
  );
  const all = flags.flatMap(({ long, short }) => [long, ...(short ? [short] : [])]).join(' ');
  const next = children.length > 0 ? children.map(({ name }) => name) : (values.at(-1) ?? []);
  return [
    `    '${path}') case "$prev" in`,
    ...takers,
    `        *) flags='${all}' wanted='${words(next)}' ;;`,
    '      esac ;;',
  ].join('\n');
}

function words(values: Values): string {
  if (typeof values !== 'string') return values.join(' ');
  return values === 'unknown' ? '' : `@${values}`;
}
