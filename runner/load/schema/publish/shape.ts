// SPDX-License-Identifier: MIT
/** Converts the zod schema to JSON Schema, including this tool's own building blocks, which zod does not know. */
import * as z from 'zod';
import { optionsOf } from '../blocks.ts';
import { ARROW, anyStep } from '../steps.ts';
import { isJson, type Json } from './json.ts';

/** Steps contain steps, so their schema is a named definition. */
const NAMES: ReadonlyMap<z.ZodType, string> = new Map([[anyStep, 'step']]);

export class ShapeWriter {
  readonly defs: Record<string, Json> = {};

  write(schema: z.ZodType): Json {
    const { $schema: _, ...json } = z.toJSONSchema(schema, {
      io: 'input',
      unrepresentable: 'any',
      override: ({ zodSchema, jsonSchema }) =>
        this.#adapt(zodSchema as unknown as z.ZodType, jsonSchema as Json),
    });
    return json as Json;
  }

  #adapt(schema: z.ZodType, json: Json): void {
    const options = optionsOf(schema);
    if (options !== undefined) Object.assign(json, this.#choice(schema, options));
    const { properties, additionalProperties } = json;
    if (isJson(properties) && isJson(additionalProperties)) shortForm(json, additionalProperties);
  }

  #choice(schema: z.ZodType, options: readonly z.ZodType[]): Json {
    const name = NAMES.get(schema);
    if (name === undefined) return this.#union(options);
    if (!(name in this.defs)) {
      this.defs[name] = {};
      this.defs[name] = this.#union(options);
    }
    return { $ref: `#/$defs/${name}` };
  }

  #union(options: readonly z.ZodType[]): Json {
    const written = options.map((option) => titled(this.write(option)));
    return written.length === 1 ? (written[0] as Json) : { anyOf: written };
  }
}

/** Titles an alternative with the key that tells it from the others: editors show the title. */
function titled(json: Json): Json {
  if (json.patternProperties !== undefined) return { title: 'sender -> destination', ...json };
  const [key] = (json.required as string[] | undefined) ?? [];
  return key === undefined ? json : { title: key, ...json };
}

/** Allows, besides the known keys, one key of the form `camera -> sensors`. */
function shortForm(json: Json, payload: Json): void {
  json.patternProperties = { [ARROW.source]: payload };
  json.additionalProperties = false;
  json.maxProperties = 1 + Object.keys(json.properties as Json).length;
  json.not = { propertyNames: { enum: Object.keys(json.properties as Json) } };
}
