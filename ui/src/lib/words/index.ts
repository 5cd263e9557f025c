/** The typed dictionary, made of one file per area: write ``NAME.ts`` and add it to ``PARTS``. */

import { clean, type Lang } from '../text';
import { automations } from './automations';
import { base } from './base';
import { board } from './board';
import { cameras } from './cameras';
import { call } from './call';
import { editor } from './editor';
import { errors } from './errors';
import { fields } from './fields';
import { inbox } from './inbox';
import type { Part } from './part';
import { plugins } from './plugins';
import { shares } from './shares';
import { views } from './views';
import { vocabulary } from './vocabulary';

const PARTS = [base, board, cameras, inbox, errors, fields, plugins, automations, editor, shares, views, vocabulary, call] as const;

type KeyOf<P> = P extends Part<infer K> ? K : never;
export type Key = KeyOf<(typeof PARTS)[number]>;
export type Values = Record<string, string | number>;

export const dictionaries: Record<Lang, Record<Key, string>> = { th: together('th'), en: together('en') };

function together(lang: Lang): Record<Key, string> {
  return Object.assign({}, ...PARTS.map((words) => words[lang])) as Record<Key, string>;
}

/** The phrase with its blanks filled: ``{name}`` takes ``values.name``. */
export function translate(lang: Lang, key: Key, values: Values = {}): string {
  return dictionaries[lang][key].replace(/\{(\w+)\}/g, (blank, name: string) => String(values[name] ?? blank));
}

/** A phrase for a word that came from the hub (a state, a kind), or the word itself when the dictionary has none. */
export function known(lang: Lang, prefix: string, word: string): string {
  const key = `${prefix}.${word}`;
  return Object.hasOwn(dictionaries[lang], key) ? dictionaries[lang][key as Key] : clean(word, 60);
}

/** A word of the vocabulary as people say it: of this domain and field, of this field anywhere, or a shared one. */
export function saying(lang: Lang, domain: string, field: string, word: string): string {
  if (!/^[a-z][a-z0-9_]{0,40}$/.test(word)) return clean(word);
  for (const prefix of [`${domain}.${field}`, field, field === 'state' || field === 'status' ? 'state' : 'option']) {
    const key = `${prefix}.${word}`;
    if (Object.hasOwn(dictionaries[lang], key)) return dictionaries[lang][key as Key];
  }
  return clean(word);
}
