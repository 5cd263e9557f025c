/** What this browser's user chose: language and brightness, kept on this machine. */

import { age, clock, date, dateTime, DEFAULT_ZONE, hourOf } from './dates';
import type { Lang } from './text';
import { known, translate, type Key, type Values } from './words';

export type ThemeMode = 'auto' | 'night' | 'day';

const MODES: readonly ThemeMode[] = ['auto', 'night', 'day'];

class Prefs {
  lang = $state<Lang>(stored('lang') === 'en' ? 'en' : 'th');
  mode = $state<ThemeMode>(MODES.find((mode) => mode === stored('theme')) ?? 'auto');
  timezone = $state(DEFAULT_ZONE);

  switchLang(): void {
    this.lang = this.lang === 'th' ? 'en' : 'th';
    store('lang', this.lang);
  }

  nextMode(): void {
    this.mode = MODES[(MODES.indexOf(this.mode) + 1) % MODES.length]!;
    store('theme', this.mode);
  }

  /** Light from 06:00 to 18:00 at the station, unless chosen otherwise. */
  theme(now: number): 'night' | 'day' {
    if (this.mode !== 'auto') return this.mode;
    const hour = hourOf(now, this.timezone);
    return hour >= 6 && hour < 18 ? 'day' : 'night';
  }

  t = (key: Key, values?: Values): string => translate(this.lang, key, values);
  known = (prefix: string, word: string): string => known(this.lang, prefix, word);
  age = (seconds: number): string => age(seconds, this.lang);
  clock = (seconds: number): string => clock(seconds, this.timezone);
  date = (seconds: number): string => date(seconds, this.lang, this.timezone);
  dateTime = (seconds: number): string => dateTime(seconds, this.lang, this.timezone);
}

function stored(key: string): string | null {
  try {
    return localStorage.getItem(`safezone.${key}`);
  } catch {
    return null; // a browser that keeps nothing
  }
}

function store(key: string, value: string): void {
  try {
    localStorage.setItem(`safezone.${key}`, value);
  } catch {
    // the choice then holds for this page only
  }
}

export const prefs = new Prefs();
