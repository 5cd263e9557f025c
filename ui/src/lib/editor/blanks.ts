/** A blueprint's blanks as fields of a form, and what was typed as the values of its inputs. */

import type { Blank } from './api';
import { domainsOf, optionsOf } from './complete';

export type BlankKind = 'entity' | 'entities' | 'select' | 'many' | 'number' | 'boolean' | 'time' | 'duration' | 'text' | 'long' | 'target' | 'yaml';

export interface BlankField {
  blank: Blank;
  kind: BlankKind;
  domains: string[];
  options: { value: string; label: string }[];
  min: number | null;
  max: number | null;
  step: number | null;
  unit: string;
  initial: BlankValue;
}

export type BlankValue = string | boolean | string[];

export interface Collected {
  input: Record<string, unknown>;
  yaml: Record<string, string>;
  /** Names of those that are needed and empty, or no value of their kind. */
  missing: string[];
}

export function blankField(blank: Blank): BlankField {
  const kind = kindOf(blank);
  const about = blank.selector ? Object.values(blank.selector)[0] : null;
  const number = (key: string): number | null => {
    const value = (about as Record<string, unknown> | null)?.[key];
    return typeof value === 'number' ? value : null;
  };
  const entity = kind === 'target' ? (about as { entity?: unknown } | null)?.entity : about;
  return {
    blank, kind, domains: domainsOf(entity), options: optionsOf(about), min: number('min'), max: number('max'), step: number('step'),
    unit: String((about as Record<string, unknown> | null)?.['unit_of_measurement'] ?? ''), initial: initialOf(kind, blank.default),
  };
}

function kindOf(blank: Blank): BlankKind {
  const name = blank.selector ? Object.keys(blank.selector)[0] : undefined;
  const about = (blank.selector ? Object.values(blank.selector)[0] : null) as Record<string, unknown> | null;
  switch (name) {
    case 'entity':
      return about?.['multiple'] ? 'entities' : 'entity';
    case 'select':
      return about?.['multiple'] ? 'many' : about?.['custom_value'] ? 'text' : 'select';
    case 'text':
      return about?.['multiple'] ? 'yaml' : about?.['multiline'] ? 'long' : 'text';
    case 'number':
    case 'boolean':
    case 'time':
    case 'duration':
    case 'target':
      return name;
    case undefined:
      return guessed(blank);
    default:
      return 'yaml';
  }
}

/** Of an input that does not say what it takes. */
function guessed(blank: Blank): BlankKind {
  if (typeof blank.default === 'number') return 'number';
  if (typeof blank.default === 'boolean') return 'boolean';
  return blank.default === undefined || typeof blank.default === 'string' ? 'text' : 'yaml';
}

function initialOf(kind: BlankKind, value: unknown): BlankValue {
  if (kind === 'boolean') return value === true;
  if (kind === 'entities' || kind === 'many') return Array.isArray(value) ? value.map(String) : [];
  if (value === undefined || value === null) return '';
  if (kind === 'duration') return durationText(value);
  if (kind === 'target') return String((value as { entity_id?: unknown }).entity_id ?? '');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** ``{hours: 1, minutes: 5}`` as ``01:05:00``. */
export function durationText(value: unknown): string {
  const parts = typeof value === 'object' && value !== null ? (value as Record<string, number>) : {};
  const seconds = typeof value === 'number' ? value : (parts['days'] ?? 0) * 86_400 + (parts['hours'] ?? 0) * 3600 + (parts['minutes'] ?? 0) * 60 + (parts['seconds'] ?? 0);
  if (typeof value === 'string') return value;
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor((seconds % 3600) / 60))}:${two(Math.floor(seconds % 60))}`;
}

/** Values that differ from the defaults; those that the hub is to read as YAML apart. */
export function collect(fields: readonly BlankField[], values: Readonly<Record<string, BlankValue>>): Collected {
  const found: Collected = { input: {}, yaml: {}, missing: [] };
  for (const field of fields) {
    const { name, required } = field.blank;
    const value = values[name] ?? field.initial;
    const empty = value === '' || (Array.isArray(value) && value.length === 0);
    if (!required && (JSON.stringify(value) === JSON.stringify(field.initial) || (empty && field.initial === ''))) continue;
    if (empty && required) found.missing.push(name);
    else if (field.kind === 'yaml') found.yaml[name] = String(value);
    else {
      const made = valueOf(field, value);
      if (made === undefined) found.missing.push(name);
      else found.input[name] = made;
    }
  }
  return found;
}

function valueOf(field: BlankField, value: BlankValue): unknown {
  if (typeof value !== 'string') return value;
  if (field.kind === 'number') {
    const number = Number(value);
    const inside = Number.isFinite(number) && value.trim() !== '' && (field.min === null || number >= field.min) && (field.max === null || number <= field.max);
    return inside ? number : undefined;
  }
  if (field.kind === 'time') return /^\d\d:\d\d$/.test(value) ? `${value}:00` : value;
  if (field.kind === 'duration') return /^\d+:\d\d(:\d\d)?$/.test(value) ? value : undefined;
  if (field.kind === 'target') return { entity_id: value };
  return value;
}
