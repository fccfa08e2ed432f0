// SPDX-License-Identifier: MIT
/** The schema of `--format json` and of each line of `--format jsonl`, published as docs/report.schema.json. */
import * as z from 'zod';
import { CHECKS } from '../verdict/verdict.ts';

const text = z.string();
const count = z.int().min(0);
const place = z.strictObject({ file: text, line: count, column: count });

const diagnostic = z
  .strictObject({
    code: text,
    severity: z.enum(['error', 'warning']),
    message: text,
    file: text,
    line: count.describe('From 1; 0 if the diagnostic is about the file as a whole.'),
    column: count,
    endColumn: count,
    path: text.describe('`clients.camera.node`; empty for the whole file.'),
    expected: text.optional(),
    hint: text.optional(),
    notes: z.array(text).optional(),
  })
  .describe('What is wrong with a file, or odd, at its place.');

const checkName = z.enum(CHECKS);

const failure = z.strictObject({
  check: checkName,
  kind: text.describe('What went wrong in one stable word, for programs.'),
  summary: text,
  expected: text,
  observed: text,
  step: text.optional().describe("The step's id."),
  place: place.optional(),
  message: text.optional().describe('The name of the message.'),
  detail: z.array(text).optional(),
  alike: count.describe('Failures of this kind and step, this one included.'),
});

const check = z.strictObject({
  name: checkName,
  result: z.enum(['pass', 'fail', 'skip']),
  reason: text.optional().describe('Why there was nothing to check.'),
  checked: count,
  unit: text.describe('What `checked` counts.'),
  failed: count,
  notes: z.array(text).optional(),
  failures: z.array(failure).max(10).describe('Worst first, one a kind and step.'),
});

const verdict = z
  .strictObject({
    schemaVersion: z.literal(1),
    result: z.enum(['pass', 'fail', 'error', 'skip']),
    simulated: z.literal(true).optional().describe('There was neither a kernel nor a time to measure.'),
    reason: text.optional().describe('Why the result is `error` or `skip`.'),
    topology: text,
    file: text,
    run: text,
    seed: count,
    where: z.strictObject({
      backend: z.enum(['vm', 'docker', 'sim']),
      launcher: z.enum(['container', 'process']),
      kernel: text,
      accelerator: z.enum(['kvm', 'tcg']).optional(),
      engine: text.optional(),
    }),
    counts: z.strictObject({ sends: count, deliveries: count, clients: count, nodes: count }),
    timings: z.record(text, z.number()).describe('Stage → seconds.'),
    checks: z.array(check),
    account: z.array(text).optional().describe('What happened that no check counts as wrong.'),
    warnings: z.array(diagnostic).optional(),
  })
  .describe('A run and its verdict.');

const unplayed = z
  .strictObject({
    schemaVersion: z.literal(1),
    result: z.literal('error'),
    file: text,
    reason: text,
    diagnostics: z.array(diagnostic),
  })
  .describe('A file that never got a verdict.');

const one = z.union([verdict, unplayed]);
const report = z.union([one, z.array(one).min(2)]);

/** JSON Schema, draft 2020-12. */
export const reportSchema = (): object => ({
  title: 'What afbus-topo run and up print with --format json',
  ...z.toJSONSchema(report, { target: 'draft-2020-12' }),
});
