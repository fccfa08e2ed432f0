// SPDX-License-Identifier: MIT
import { EXIT } from '../common/errors.ts';
import { configOf, renderDiagnostics } from '../load/index.ts';
import { wantsColor } from '../write/paint.ts';

interface ConfigFlags {
  readonly explain?: boolean;
  readonly set?: Readonly<Record<string, string>>;
}

/** `config`: the file with all that it includes, inherits and leaves out, as YAML; a document a combination. */
export function config(file: string, { explain = false, set = {} }: ConfigFlags): void {
  const { written, diagnostics, sources } = configOf(file, { explain, set });
  const color = wantsColor(process.stderr, process.env);
  process.stderr.write(renderDiagnostics(diagnostics, sources, { color }));
  if (written.length === 0) process.exitCode = EXIT.invalid;
  const head = written.length > 1 ? '---\n' : '';
  for (const { yaml } of written) process.stdout.write(`${head}${yaml}`);
}
