/** What was typed into a form, as the hub wants it; mistakes by the path of their field: ``boxes.2.name``. */

import { localToSeconds } from './dates';
import type { FormField, FormValue, FormValues } from './schema';

export type FormMistake =
  | 'required' | 'number' | 'integer' | 'min' | 'max' | 'long' | 'short' | 'pattern' | 'choice' | 'json' | 'date' | 'few' | 'many' | 'big';

export interface Parsed {
  params: Record<string, unknown>;
  mistakes: Record<string, FormMistake>;
}

/** A request to the hub holds at most 1 MiB; a little is for the rest of it. */
export const MAX_FILE_TEXT = 1_000_000;

/** The parameters; empty fields that are not required are left out. ``zone``: in which the times were typed. */
export function parseForm(fields: readonly FormField[], values: FormValues, zone: string): Parsed {
  const reading = new Reading(zone);
  return { params: reading.group(fields, values, ''), mistakes: reading.mistakes };
}

const NOTHING = Symbol('nothing was typed');

class Reading {
  readonly mistakes: Record<string, FormMistake> = {};
  readonly #zone: string;

  constructor(zone: string) {
    this.#zone = zone;
  }

  group(fields: readonly FormField[], values: FormValues, at: string): Record<string, unknown> {
    const found: Record<string, unknown> = {};
    for (const field of fields) {
      const path = `${at}${field.key}`;
      const value = this.#value(field, values[field.key] ?? '', path);
      if (value !== NOTHING) found[field.key] = value;
      else if (field.required) this.mistakes[path] ??= 'required';
    }
    return found;
  }

  #value(field: FormField, value: FormValue, path: string): unknown {
    if (typeof value === 'boolean') return value;
    if (Array.isArray(value)) return this.#list(field, value, path);
    if (typeof value === 'object') return this.#part(field, value, path);
    if (value.trim() === '') return NOTHING;
    const parsed = parseText(field, field.kind === 'file' ? value : value.trim(), this.#zone);
    if ('mistake' in parsed) this.mistakes[path] = parsed.mistake;
    return 'mistake' in parsed ? undefined : parsed.value;
  }

  #list(field: FormField, values: FormValue[], path: string): unknown {
    if (values.length === 0 && !field.required) return field.initial instanceof Array && field.initial.length > 0 ? [] : NOTHING;
    if (values.length < field.minItems) this.mistakes[path] = 'few';
    if (values.length > field.maxItems) this.mistakes[path] = 'many';
    const { item } = field;
    if (!item) return values;
    return values.map((one, index) => {
      const found = this.#value(item, one, `${path}.${index}`);
      if (found === NOTHING) this.mistakes[`${path}.${index}`] = 'required';
      return found === NOTHING ? undefined : found;
    });
  }

  /** A group that may be left out is left out when nothing in it was filled in. */
  #part(field: FormField, values: FormValues, path: string): unknown {
    if (!field.required && field.fields.every((one) => isEmpty(values[one.key], one))) return NOTHING;
    return this.group(field.fields, values, `${path}.`);
  }
}

function isEmpty(value: FormValue | undefined, field: FormField): boolean {
  if (value === undefined || value === field.initial) return true;
  if (typeof value === 'string') return value.trim() === '';
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && field.fields.every((one) => isEmpty(value[one.key], one));
}

type One = { value: unknown } | { mistake: FormMistake };

function parseText(field: FormField, text: string, zone: string): One {
  switch (field.kind) {
    case 'number':
    case 'integer':
      return parseNumber(field, text);
    case 'choice':
      return field.options.includes(text) ? { value: text } : { mistake: 'choice' };
    case 'moment':
    case 'datetime':
      return parseTime(field.kind, text, zone);
    case 'file':
      return text.length > Math.min(field.maxLength ?? MAX_FILE_TEXT, MAX_FILE_TEXT) ? { mistake: 'big' } : { value: text };
    case 'json':
      return parseJson(text);
    default:
      return parsePlain(field, text);
  }
}

function parsePlain(field: FormField, text: string): One {
  const length = [...text].length;
  if (field.maxLength !== null && length > field.maxLength) return { mistake: 'long' };
  if (length < field.minLength) return { mistake: 'short' };
  return field.pattern && !field.pattern.test(text) ? { mistake: 'pattern' } : { value: text };
}

function parseNumber(field: FormField, text: string): One {
  const value = Number(text);
  if (!Number.isFinite(value)) return { mistake: 'number' };
  if (field.kind === 'integer' && !Number.isInteger(value)) return { mistake: 'integer' };
  if (field.min !== null && (field.above ? value <= field.min : value < field.min)) return { mistake: 'min' };
  if (field.max !== null && (field.below ? value >= field.max : value > field.max)) return { mistake: 'max' };
  return { value };
}

/** ``2026-11-22T14:05`` on the station's clock. */
function parseTime(kind: 'moment' | 'datetime', text: string, zone: string): One {
  if (kind === 'moment' && /^\d+(\.\d+)?$/.test(text)) return { value: Number(text) };
  const seconds = localToSeconds(text, zone);
  if (seconds === null) return { mistake: 'date' };
  return { value: kind === 'moment' ? seconds : new Date(seconds * 1000).toISOString() };
}

function parseJson(text: string): One {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { mistake: 'json' };
  }
}
