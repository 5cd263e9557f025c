/** A form from the JSON Schema of an action's parameters (as pydantic writes it). */

import type { JsonSchema } from './api';

export type FieldKind = 'text' | 'long' | 'number' | 'integer' | 'boolean' | 'choice' | 'json';

export interface FormField {
  key: string;
  kind: FieldKind;
  title: string;
  description: string;
  required: boolean;
  options: string[];
  initial: string | boolean;
  min: number | null;
  max: number | null;
  maxLength: number | null;
}

export type FormValues = Record<string, string | boolean>;
export type FormMistake = 'required' | 'number' | 'integer' | 'min' | 'max' | 'long' | 'choice' | 'json';

const LONG_TEXT = 200;

export function fieldsOf(schema: JsonSchema): FormField[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).map(([key, raw]) => fieldOf(key, raw, required.has(key), schema));
}

function fieldOf(key: string, raw: JsonSchema, required: boolean, root: JsonSchema): FormField {
  const part = resolve(raw, root);
  const kind = kindOf(part);
  const initial = raw.default ?? part.default;
  return {
    key,
    kind,
    title: raw.title ?? part.title ?? key,
    description: raw.description ?? part.description ?? '',
    required,
    options: (part.enum ?? []).map(String),
    initial: kind === 'boolean' ? initial === true : asText(initial, kind),
    min: part.minimum ?? part.exclusiveMinimum ?? null,
    max: part.maximum ?? part.exclusiveMaximum ?? null,
    maxLength: part.maxLength ?? null,
  };
}

/** Follows references and takes the part that is not null out of ``X | null``. */
function resolve(part: JsonSchema, root: JsonSchema, depth = 0): JsonSchema {
  if (depth > 8) return part;
  if (part.$ref) {
    const name = part.$ref.split('/').pop() ?? '';
    return resolve({ ...(root.$defs?.[name] ?? {}), ...without(part, '$ref') }, root, depth + 1);
  }
  const choices = part.anyOf ?? part.allOf;
  if (choices) {
    const real = choices.filter((choice) => choice.type !== 'null');
    if (real.length === 1) return resolve({ ...without(part, 'anyOf', 'allOf'), ...real[0]! }, root, depth + 1);
  }
  return part;
}

function without(part: JsonSchema, ...keys: (keyof JsonSchema)[]): JsonSchema {
  const rest = { ...part };
  for (const key of keys) delete rest[key];
  return rest;
}

function kindOf(part: JsonSchema): FieldKind {
  if (part.enum) return 'choice';
  if (part.type === 'boolean') return 'boolean';
  if (part.type === 'integer') return 'integer';
  if (part.type === 'number') return 'number';
  if (part.type === 'string') return (part.maxLength ?? 0) > LONG_TEXT ? 'long' : 'text';
  return 'json';
}

function asText(value: unknown, kind: FieldKind): string {
  if (value === undefined || value === null) return '';
  return kind === 'json' ? JSON.stringify(value) : String(value);
}

export function initialValues(fields: readonly FormField[]): FormValues {
  return Object.fromEntries(fields.map((field) => [field.key, field.initial]));
}

export interface Parsed {
  params: Record<string, unknown>;
  mistakes: Record<string, FormMistake>;
}

/** The parameters as the hub wants them; empty fields that are not required are left out. */
export function parseForm(fields: readonly FormField[], values: FormValues): Parsed {
  const params: Record<string, unknown> = {};
  const mistakes: Record<string, FormMistake> = {};
  for (const field of fields) {
    const value = values[field.key] ?? '';
    if (typeof value === 'boolean') {
      params[field.key] = value;
    } else if (value.trim() === '') {
      if (field.required) mistakes[field.key] = 'required';
    } else {
      const found = parseOne(field, value);
      if ('mistake' in found) mistakes[field.key] = found.mistake;
      else params[field.key] = found.value;
    }
  }
  return { params, mistakes };
}

function parseOne(field: FormField, text: string): { value: unknown } | { mistake: FormMistake } {
  if (field.kind === 'number' || field.kind === 'integer') return parseNumber(field, text);
  if (field.kind === 'choice') return field.options.includes(text) ? { value: text } : { mistake: 'choice' };
  if (field.kind === 'json') return parseJson(text);
  if (field.maxLength !== null && [...text].length > field.maxLength) return { mistake: 'long' };
  return { value: text };
}

function parseNumber(field: FormField, text: string): { value: number } | { mistake: FormMistake } {
  const value = Number(text);
  if (!Number.isFinite(value)) return { mistake: 'number' };
  if (field.kind === 'integer' && !Number.isInteger(value)) return { mistake: 'integer' };
  if (field.min !== null && value < field.min) return { mistake: 'min' };
  if (field.max !== null && value > field.max) return { mistake: 'max' };
  return { value };
}

function parseJson(text: string): { value: unknown } | { mistake: FormMistake } {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { mistake: 'json' };
  }
}
