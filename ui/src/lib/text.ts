/** Text from outside: names, notes and reasons that strangers may have written. Shown as text only, never as markup. */

import type { Words } from './api';

export type Lang = 'th' | 'en';

export const MAX_SHOWN = 200;
const MAX_MARKS = 4;

// Direction marks that could make a line read backwards or hide its end, and characters that print nothing.
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;
// A letter may carry a few marks (Thai carries two); more would climb over the neighbouring lines.
const MARK_PILE = new RegExp(`(\\p{M}{${MAX_MARKS}})\\p{M}+`, 'gu');

const segmenter = new Intl.Segmenter('th', { granularity: 'grapheme' });

/** Safe to show: without control and direction characters, without piles of marks, at most ``limit`` letters. */
export function clean(value: unknown, limit = MAX_SHOWN): string {
  if (value === null || value === undefined) return '';
  const raw = (typeof value === 'string' ? value : plain(value)).slice(0, limit * 8);
  const text = raw.replace(UNSAFE, '').replace(MARK_PILE, '$1').trim();
  if (text.length <= limit) return text;
  let short = '';
  let count = 0;
  for (const { segment } of segmenter.segment(text)) {
    if (++count > limit) return `${short}…`;
    short += segment;
  }
  return short;
}

function plain(value: unknown): string {
  if (typeof value === 'object') return JSON.stringify(value) ?? '';
  return String(value);
}

export function isWords(value: unknown): value is Words {
  return typeof value === 'object' && value !== null && 'th' in value && 'en' in value;
}

/** A phrase of the hub in the reader's language; a plain string as it is. */
export function words(value: unknown, lang: Lang, limit = MAX_SHOWN): string {
  if (!isWords(value)) return clean(value, limit);
  return clean(value[lang] || value.th || value.en, limit);
}

/** ``S211`` of ``unit.s211``: what can be said aloud when an entity has no name. */
export function objectId(entity: string): string {
  return entity.slice(entity.indexOf('.') + 1);
}

export function domainOf(entity: string): string {
  const dot = entity.indexOf('.');
  return dot < 0 ? entity : entity.slice(0, dot);
}

const collators = new Map<string, Intl.Collator>();

/** Order of names as people of the language expect it. */
export function compareNames(a: string, b: string, lang: Lang): number {
  let collator = collators.get(lang);
  if (!collator) collators.set(lang, (collator = new Intl.Collator(lang, { numeric: true })));
  return collator.compare(a, b);
}
