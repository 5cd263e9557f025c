/** A table's cell: what a declared column shows of an entity. */

import type { Column, State } from './api';
import { age, dateTime } from './dates';
import { nameOf } from './entity';
import { clean, domainOf, words, type Lang } from './text';
import { known, translate } from './words';

export interface Reader {
  lang: Lang;
  now: number;
  zone: string;
  /** The name of another entity. */
  name: (entity: string) => string;
}

export function cellOf(state: State, column: Column, reader: Reader): string {
  const value = valueOf(state, column.field, reader.lang);
  if (value === null || value === undefined || value === '') return '';
  const shown = formatted(value, column, reader);
  if (shown !== null) return shown;
  if (column.field === 'state') return known(reader.lang, `${domainOf(state.entity)}.state`, clean(value));
  if (column.field === 'priority') return known(reader.lang, 'priority', clean(value));
  return words(value, reader.lang);
}

function valueOf(state: State, field: string, lang: Lang): unknown {
  if (field === 'state') return state.state;
  if (field === 'updated') return state.updated;
  if (field === 'changed') return state.changed;
  if (field === 'entity') return state.entity;
  if (field === 'name') return nameOf(state, lang);
  return state.attributes[field];
}

/** The value in its format; null when the value is not of that kind, so that it is shown as it is. */
function formatted(value: unknown, { format }: Column, { lang, now, zone, name }: Reader): string | null {
  if (format === 'entity') return typeof value === 'string' ? name(value) : null;
  if (typeof value !== 'number' || !Number.isFinite(value)) return null;
  if (format === 'age') return translate(lang, 'app.ago', { age: age(now - value, lang) });
  if (format === 'time') return dateTime(value, lang, zone);
  if (format === 'percent') return `${Math.round(value)}%`;
  if (format === 'number') return new Intl.NumberFormat('en', { maximumFractionDigits: 2 }).format(value);
  return null;
}
