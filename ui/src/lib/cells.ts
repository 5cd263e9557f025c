/** A table's cell: what a declared column shows of an entity, and by what it is sorted. */

import type { Column, State } from './api';
import { age, date, dateTime, duration } from './dates';
import { nameOf } from './entity';
import { clean, compareNames, domainOf, isWords, words, type Lang } from './text';
import { saying, translate } from './words';

export interface Reader {
  lang: Lang;
  now: number;
  zone: string;
  /** The name of another entity. */
  name: (entity: string) => string;
}

const MAX_ITEMS = 12;

export function cellOf(state: State, column: Column, reader: Reader): string {
  const value = valueOf(state, column.field, reader.lang);
  if (value === null || value === undefined || value === '') return '';
  return formatted(value, column, reader) ?? plain(value, domainOf(state.entity), column.field, reader.lang);
}

export function valueOf(state: State, field: string, lang: Lang): unknown {
  if (field === 'state') return state.state;
  if (field === 'updated') return state.updated;
  if (field === 'changed') return state.changed;
  if (field === 'entity') return state.entity;
  if (field === 'name') return nameOf(state, lang);
  return state.attributes[field];
}

/** A value without a format: a word of the vocabulary, a phrase, a list of them, a number, yes or no. */
function plain(value: unknown, domain: string, field: string, lang: Lang): string {
  if (typeof value === 'boolean') return translate(lang, `bool.${value}`);
  if (Array.isArray(value)) return listed(value, (one) => plain(one, domain, field, lang), lang);
  if (typeof value === 'string') return saying(lang, domain, field, value);
  return words(value, lang);
}

function listed(values: readonly unknown[], tell: (one: unknown) => string, lang: Lang): string {
  const shown = values.slice(0, MAX_ITEMS).map(tell).filter(Boolean).join(', ');
  return values.length > MAX_ITEMS ? `${shown} · ${translate(lang, 'app.more', { n: values.length - MAX_ITEMS })}` : shown;
}

/** The value in its format; null when the value is not of that kind, so that it is shown as it is. */
function formatted(value: unknown, { format }: Column, { lang, now, zone, name }: Reader): string | null {
  if (format === 'entity') return named(value, name, lang);
  if (format === 'bool') return value === true || value === false ? `${value ? '✓' : '–'} ${translate(lang, `bool.${value}`)}` : null;
  if (format === 'words') return isWords(value) ? words(value, lang) : null;
  if (format === 'age' || format === 'time') return moment(value, format, lang, now, zone);
  if (typeof value !== 'number' || !Number.isFinite(value)) return null;
  if (format === 'duration') return duration(value, lang);
  if (format === 'percent') return `${Math.round(value)}%`;
  if (format === 'number') return new Intl.NumberFormat('en', { maximumFractionDigits: 2 }).format(value);
  return null;
}

function named(value: unknown, name: (entity: string) => string, lang: Lang): string | null {
  if (typeof value === 'string') return name(value);
  return Array.isArray(value) ? listed(value, (one) => (typeof one === 'string' ? name(one) : clean(one, 60)), lang) : null;
}

/** Seconds since 1970, or an ISO date or time. */
function moment(value: unknown, format: 'age' | 'time', lang: Lang, now: number, zone: string): string | null {
  const seconds = secondsOf(value);
  if (seconds === null) return null;
  if (format === 'age') return translate(lang, 'app.ago', { age: age(now - seconds, lang) });
  return typeof value === 'string' && value.length === 10 ? date(seconds, lang, 'UTC') : dateTime(seconds, lang, zone);
}

function secondsOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) && Math.abs(value) < 1e11 ? value : null;
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d/.test(value)) return null;
  const at = Date.parse(value) / 1000;
  return Number.isFinite(at) ? at : null;
}

export type Verdict = 'met' | 'not_met' | 'cannot_tell';

export interface Interval {
  low: number;
  estimate: number;
  high: number;
  mark: number | null;
  verdict: Verdict | null;
}

export const VERDICT_SHAPES: Record<Verdict, string> = { met: '●', not_met: '▲', cannot_tell: '◆' };

/** An estimate with its limits, 0 to 100; null when it is none. */
export function intervalOf(value: unknown): Interval | null {
  if (typeof value !== 'object' || value === null) return null;
  const { low, estimate, high, mark, verdict } = value as Record<string, unknown>;
  if (!isPercent(low) || !isPercent(estimate) || !isPercent(high) || low > high) return null;
  const at = isPercent(mark) ? mark : null;
  const said = verdict === 'met' || verdict === 'not_met' || verdict === 'cannot_tell' ? verdict : null;
  return { low, estimate, high, mark: at, verdict: said ?? (at === null ? null : judged(low, high, at)) };
}

/** Sure only when the whole interval lies on one side of the mark. */
function judged(low: number, high: number, mark: number): Verdict {
  if (low >= mark) return 'met';
  return high < mark ? 'not_met' : 'cannot_tell';
}

function isPercent(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 100;
}

type SortKey = number | string;

/** The rows in the order of a column, else of their names: numbers as numbers, all else as people of the language order
 * words; what is empty stands last either way. Each row's key is made once: there may be thousands. */
export function sortRows(rows: readonly State[], column: Column | null, down: boolean, reader: Reader): State[] {
  const sign = down ? -1 : 1;
  return rows
    .map((row) => ({ row, key: column ? sortKey(row, column, reader) : '', name: nameOf(row, reader.lang) }))
    .sort((a, b) => compareKeys(a.key, b.key, sign, reader.lang) || compareNames(a.name, b.name, reader.lang) || (a.row.entity < b.row.entity ? -1 : 1))
    .map(({ row }) => row);
}

function compareKeys(a: SortKey, b: SortKey, sign: number, lang: Lang): number {
  if (a === '' || b === '') return Number(a === '') - Number(b === '');
  return sign * (typeof a === 'number' && typeof b === 'number' ? a - b : compareNames(String(a), String(b), lang));
}

function sortKey(state: State, column: Column, reader: Reader): SortKey {
  const value = valueOf(state, column.field, reader.lang);
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (column.format === 'interval') return intervalOf(value)?.estimate ?? '';
  return cellOf(state, column, reader);
}
