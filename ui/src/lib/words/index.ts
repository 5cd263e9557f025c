/** The typed dictionary. Thai comes first; English is complete. */

import { clean, type Lang } from '../text';
import { en } from './en';
import { enEvents, thEvents } from './events';
import { th } from './th';

export type Key = keyof typeof th | keyof typeof thEvents;
export type Values = Record<string, string | number>;

export const dictionaries: Record<Lang, Record<Key, string>> = { th: { ...th, ...thEvents }, en: { ...en, ...enEvents } };

/** The phrase with its blanks filled: ``{name}`` takes ``values.name``. */
export function translate(lang: Lang, key: Key, values: Values = {}): string {
  return dictionaries[lang][key].replace(/\{(\w+)\}/g, (blank, name: string) => String(values[name] ?? blank));
}

/** A phrase for a word that came from the hub (a state, a kind), or the word itself when the dictionary has none. */
export function known(lang: Lang, prefix: string, word: string): string {
  const key = `${prefix}.${word}`;
  return Object.hasOwn(dictionaries[lang], key) ? dictionaries[lang][key as Key] : clean(word, 60);
}
