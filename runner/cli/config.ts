// SPDX-License-Identifier: MIT
import { parse } from 'yaml';
import { EXIT } from '../common/errors.ts';
import { neutralJson } from '../common/neutral.ts';
import { configOf, renderDiagnostics } from '../load/index.ts';
import { wantsColor } from '../write/paint.ts';
import { inputOf } from './input.ts';

interface ConfigFlags {
  readonly explain?: boolean;
  readonly format?: 'yaml' | 'json';
  readonly set?: Readonly<Record<string, string>>;
}

/**
 * `config`: prints the file with includes, inherited values and defaults filled in, as YAML or JSON; one document per
 * combination.
 */
export function config(named: string, { explain = false, format = 'yaml', set }: ConfigFlags): void {
  const { file, options } = inputOf(named, { ...(set && { set }) });
  const { written, diagnostics, sources } = configOf(file, { explain, ...options });
  const color = wantsColor(process.stderr, process.env);
  process.stderr.write(renderDiagnostics(diagnostics, sources, { color }));
  if (written.length === 0) process.exitCode = EXIT.invalid;
  if (format === 'json') {
    const indent = written.length > 1 ? 0 : 2;
    for (const { yaml } of written) console.log(neutralJson(parse(yaml), indent));
    return;
  }
  const head = written.length > 1 ? '---\n' : '';
  for (const { yaml } of written) process.stdout.write(`${head}${yaml}`);
}
