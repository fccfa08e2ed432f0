// SPDX-License-Identifier: MIT
/**
 * The JSON Schema (draft 2020-12) of `*.topo.yaml`, for editors and other tools: the zod schema and the words of
 * prose.ts.
 */

import { EXTENSION } from '../../../common/scalars.ts';
import { topologySchema } from '../schema.ts';
import { Descriptions } from './descriptions.ts';
import type { Json } from './json.ts';
import { ShapeWriter } from './shape.ts';
import { asWritten, VARIABLE } from './written.ts';

export interface Described {
  readonly schema: Json;
  /** Keys without a text in prose.ts, and texts without a key: a spec fails unless both lists are empty. */
  readonly wordless: readonly string[];
  readonly keyless: readonly string[];
}

/** Returns a new copy each time. */
export function jsonSchema(): Described {
  const writer = new ShapeWriter();
  const { required: _, ...root } = asWritten(writer.write(topologySchema));
  const defs = Object.fromEntries(Object.entries(writer.defs).map(([name, def]) => [name, asWritten(def)]));
  const descriptions = new Descriptions(defs);
  const schema: Json = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'AF_BUS topology',
    ...root,
    patternProperties: { [EXTENSION.source]: {} },
    // An included file may contain what this file lacks.
    anyOf: [{ required: ['buses'] }, { required: ['include'] }],
    $defs: { ...defs, variable: VARIABLE },
  };
  descriptions.visit(schema, '');
  return { schema, wordless: descriptions.missing, keyless: descriptions.unused() };
}
