/** The fields of a form, from the JSON Schema of an action's parameters (as pydantic writes it). */

import type { JsonSchema, Words } from './api';

export type FieldKind =
  | 'text' | 'long' | 'number' | 'integer' | 'boolean' | 'choice' | 'json'
  | 'datetime' | 'date' | 'time' | 'moment' | 'file'
  | 'many' | 'list' | 'group';

export interface FormField {
  key: string;
  kind: FieldKind;
  title: string;
  words: Words | null;
  description: string;
  required: boolean;
  options: string[];
  optionWords: Record<string, Words>;
  initial: FormValue;
  min: number | null;
  max: number | null;
  /** The limits themselves are not allowed. */
  above: boolean;
  below: boolean;
  minLength: number;
  maxLength: number | null;
  pattern: RegExp | null;
  minItems: number;
  maxItems: number;
  /** Of a list: one of its items. */
  item: FormField | null;
  /** Of a group: what stands in it. */
  fields: FormField[];
  /** Of a file: its media type, and whether it is sent as base64 or as text. */
  media: string;
  encoded: boolean;
  /** The domain whose entities it names, in order of likelihood. */
  domains: string[];
}

export type FormValue = string | boolean | FormValue[] | { [key: string]: FormValue };
export type FormValues = Record<string, FormValue>;

const LONG_TEXT = 200;
const MAX_ITEMS = 200;
const MAX_DEPTH = 6;

export function fieldsOf(schema: JsonSchema): FormField[] {
  return groupOf(schema, schema, 0);
}

function groupOf(part: JsonSchema, root: JsonSchema, depth: number): FormField[] {
  const required = new Set(part.required ?? []);
  return Object.entries(part.properties ?? {}).map(([key, raw]) => fieldOf(key, raw, required.has(key), root, depth));
}

function fieldOf(key: string, raw: JsonSchema, required: boolean, root: JsonSchema, depth: number): FormField {
  const part = resolve(raw, root);
  const kind = kindOf(key, part, root, depth);
  const item = kind === 'list' ? fieldOf(singular(key), part.items!, true, root, depth + 1) : null;
  const choices = kind === 'many' ? resolve(part.items!, root) : part;
  return {
    key, kind, item, required,
    title: raw.title ?? part.title ?? key,
    words: raw.words ?? part.words ?? null,
    description: raw.description ?? part.description ?? '',
    options: optionsOf(choices),
    optionWords: choices.option_words ?? {},
    fields: kind === 'group' ? groupOf(part, root, depth + 1) : [],
    initial: initialOf(raw.default ?? part.default, kind),
    min: part.minimum ?? part.exclusiveMinimum ?? null,
    max: part.maximum ?? part.exclusiveMaximum ?? null,
    above: part.minimum === undefined && part.exclusiveMinimum !== undefined,
    below: part.maximum === undefined && part.exclusiveMaximum !== undefined,
    minLength: part.minLength ?? 0,
    maxLength: part.maxLength ?? null,
    pattern: kind === 'text' ? compiled(part.pattern) : null,
    minItems: part.minItems ?? 0,
    maxItems: Math.min(part.maxItems ?? MAX_ITEMS, MAX_ITEMS),
    media: part.contentMediaType ?? '',
    encoded: part.contentEncoding === 'base64',
    domains: kind === 'text' ? [part.entity, key, key.replace(/_(entity|id)$/, '')].filter((name) => name !== undefined) : [],
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
    if (real.length === 1) return resolve({ ...real[0]!, ...without(part, 'anyOf', 'allOf') }, root, depth + 1);
  }
  return part;
}

function without(part: JsonSchema, ...keys: (keyof JsonSchema)[]): JsonSchema {
  const rest = { ...part };
  for (const key of keys) delete rest[key];
  return rest;
}

function optionsOf(part: JsonSchema): string[] {
  return (part.const !== undefined ? [part.const] : (part.enum ?? [])).map(String);
}

// A number of this name is a time in seconds since 1970, a free text one in ISO 8601; people choose it from a calendar.
const MOMENT = /(^|_)(at|until|since)$/;
const TEXT_FORMATS: Record<string, FieldKind> = { 'date-time': 'datetime', date: 'date', time: 'time' };

function kindOf(key: string, part: JsonSchema, root: JsonSchema, depth: number): FieldKind {
  if (part.enum || part.const !== undefined) return 'choice';
  if (part.type === 'boolean') return 'boolean';
  if (part.type === 'integer') return 'integer';
  if (part.type === 'number') return MOMENT.test(key) ? 'moment' : 'number';
  if (part.type === 'string') return textKind(key, part);
  if (depth >= MAX_DEPTH) return 'json';
  if (part.type === 'array' && part.items) return optionsOf(resolve(part.items, root)).length > 0 ? 'many' : 'list';
  return part.type === 'object' && part.properties ? 'group' : 'json';
}

function textKind(key: string, part: JsonSchema): FieldKind {
  if (part.contentMediaType || part.contentEncoding) return 'file';
  const free = part.format === undefined && part.pattern === undefined && part.maxLength === undefined;
  const known = TEXT_FORMATS[part.format ?? (free && MOMENT.test(key) ? 'date-time' : '')];
  return known ?? ((part.maxLength ?? 0) > LONG_TEXT ? 'long' : 'text');
}

function singular(key: string): string {
  return key.endsWith('ies') ? `${key.slice(0, -3)}y` : key.replace(/s$/, '');
}

/** A pattern of pydantic's is nearly always one of the browser's; the hub judges the others. */
function compiled(pattern: string | undefined): RegExp | null {
  try {
    return pattern ? new RegExp(pattern, 'u') : null;
  } catch {
    return null;
  }
}

function initialOf(value: unknown, kind: FieldKind): FormValue {
  if (kind === 'boolean') return value === true;
  if (kind === 'many' || kind === 'list') return Array.isArray(value) ? value.map((one) => formValue(one)) : [];
  if (kind === 'group') return value === undefined || value === null ? {} : formValue(value);
  if (value === undefined || value === null) return '';
  return kind === 'json' ? JSON.stringify(value) : String(value);
}

/** A value of the hub as the inputs hold it. */
export function formValue(value: unknown): FormValue {
  if (Array.isArray(value)) return value.map(formValue);
  if (typeof value === 'boolean') return value;
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, formValue(one)]));
  return value === null || value === undefined ? '' : String(value);
}

/** What a fresh input holds, with the parts of a group filled in. */
export function blank(field: FormField): FormValue {
  if (field.kind !== 'group') return structuredClone(field.initial);
  return { ...initialValues(field.fields), ...(structuredClone(field.initial) as FormValues) };
}

export function initialValues(fields: readonly FormField[]): FormValues {
  return Object.fromEntries(fields.map((field) => [field.key, blank(field)]));
}
