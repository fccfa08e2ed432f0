// SPDX-License-Identifier: MIT
/**
 * Allows variables: the schema is about values, but a file may contain a variable in place of a number, flag or size.
 */
import { isJson, type Json } from './json.ts';

const HOLDS_VARIABLE = '\\$\\{';

export const VARIABLE: Json = {
  title: '${VARIABLE}',
  type: 'string',
  pattern: HOLDS_VARIABLE,
  description: 'A variable, put in before the file is checked: ${n}, or ${n:-8} with a default.',
};

const REFERENCE: Json = { $ref: '#/$defs/variable' };

export function asWritten(json: Json): Json {
  const inside = Object.fromEntries(Object.entries(json).map(([key, value]) => [key, below(key, value)]));
  if (typeof inside.pattern === 'string')
    return { ...inside, pattern: `${inside.pattern}|${HOLDS_VARIABLE}` };
  if (Array.isArray(json.anyOf)) return withVariable(inside, json.anyOf as Json[]);
  return isStrict(json) ? { anyOf: [inside, REFERENCE] } : inside;
}

/** Keys are never variables, so patterns of names stay unchanged. */
function below(key: string, value: unknown): unknown {
  if (key === 'properties' || key === 'patternProperties') return eachOf(value as Json);
  if (key === 'anyOf') return (value as Json[]).map((each) => (isStrict(each) ? each : asWritten(each)));
  return (key === 'items' || key === 'additionalProperties') && isJson(value) ? asWritten(value) : value;
}

const eachOf = (values: Json): Json =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, asWritten(value as Json)]));

/** Allows a variable once for all alternatives, unless one of them accepts any text. */
function withVariable(json: Json, options: readonly Json[]): Json {
  const anyText = options.some(({ type, pattern, const: only }) => type === 'string' && !pattern && !only);
  if (anyText || !options.some(isStrict)) return json;
  return { ...json, anyOf: [...(json.anyOf as Json[]), REFERENCE] };
}

/** Whether a value is a scalar that may not be just any text. */
const isStrict = (json: Json): boolean =>
  json.enum !== undefined ||
  json.const !== undefined ||
  ['integer', 'number', 'boolean'].includes(json.type as string);
