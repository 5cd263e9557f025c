/** Dates and ages on the screen: Buddhist era and 24-hour clock in both languages. Data stay seconds since 1970 UTC. */

import type { Lang } from './text';

export const DEFAULT_ZONE = 'Asia/Bangkok';

const LOCALES: Record<Lang, string> = { th: 'th-TH-u-ca-buddhist-nu-latn', en: 'en-GB-u-ca-buddhist-nu-latn' };
const formats = new Map<string, Intl.DateTimeFormat>();

function format(lang: Lang, zone: string, name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${lang}|${zone}|${name}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(LOCALES[lang], { timeZone: zone, hourCycle: 'h23', ...options });
    formats.set(key, found);
  }
  return found;
}

/** ``14:05:09`` */
export function clock(seconds: number, zone: string): string {
  const options: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit' };
  return format('en', zone, 'clock', options).format(seconds * 1000);
}

/** ``14:05`` */
export function hourMinute(seconds: number, zone: string): string {
  return format('en', zone, 'minute', { hour: '2-digit', minute: '2-digit' }).format(seconds * 1000);
}

/** ``22 พ.ย. 2569`` / ``22 Nov 2569 BE`` */
export function date(seconds: number, lang: Lang, zone: string): string {
  const formatter = format(lang, zone, 'date', { day: 'numeric', month: 'short', year: 'numeric' });
  const part = (type: string): string => formatter.formatToParts(seconds * 1000).find((p) => p.type === type)?.value ?? '';
  const era = lang === 'en' ? ' BE' : '';
  return `${part('day')} ${part('month')} ${part('year')}${era}`;
}

/** The weekday's full name. */
export function weekday(seconds: number, lang: Lang, zone: string): string {
  return format(lang, zone, 'weekday', { weekday: 'long' }).format(seconds * 1000);
}

/** ``22 พ.ย. 2569 14:05:09`` */
export function dateTime(seconds: number, lang: Lang, zone: string): string {
  return `${date(seconds, lang, zone)} ${clock(seconds, zone)}`;
}

/** The hour of the day at the station, 0–23. */
export function hourOf(seconds: number, zone: string): number {
  return Number(format('en', zone, 'hour', { hour: '2-digit' }).format(seconds * 1000));
}

const UNITS: Record<Lang, { s: string; min: string; h: string; d: string }> = {
  th: { s: 'วิ', min: 'นาที', h: 'ชม.', d: 'วัน' },
  en: { s: 's', min: 'min', h: 'h', d: 'd' },
};

/** How old: ``5 วิ``, ``12 นาที``, ``3 ชม.``, ``2 วัน``. Never negative: a device's clock may run ahead. */
export function age(seconds: number, lang: Lang): string {
  const whole = Math.max(0, Math.floor(seconds));
  const unit = UNITS[lang];
  if (whole < 60) return `${whole} ${unit.s}`;
  if (whole < 3600) return `${Math.floor(whole / 60)} ${unit.min}`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} ${unit.h}`;
  return `${Math.floor(whole / 86_400)} ${unit.d}`;
}

/** Time left as ``0:42``; never below zero. */
export function countdown(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
