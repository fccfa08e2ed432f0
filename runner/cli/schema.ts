// SPDX-License-Identifier: MIT
import { jsonSchema } from '../load/schema/publish/json-schema.ts';
import { reference } from '../load/schema/publish/reference.ts';

/** `schema`: prints the language as JSON Schema, for editors and other tools, or as a reference to read. */
export function schema({ format }: { format: 'json' | 'markdown' }): void {
  const { schema } = jsonSchema();
  process.stdout.write(format === 'json' ? `${JSON.stringify(schema, null, 2)}\n` : reference(schema));
}
