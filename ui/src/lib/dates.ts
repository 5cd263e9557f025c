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

/** How long: ``45 วิ``, ``12 นาที``, ``3 ชม. 20 นาที``. */
export function duration(seconds: number, lang: Lang): string {
  const whole = Math.max(0, Math.round(seconds));
  const unit = UNITS[lang];
  if (whole < 60) return `${whole} ${unit.s}`;
  const [minutes, hours] = [Math.round(whole / 60), Math.floor(Math.round(whole / 60) / 60)];
  if (hours === 0) return `${minutes} ${unit.min}`;
  return minutes % 60 === 0 ? `${hours} ${unit.h}` : `${hours} ${unit.h} ${minutes % 60} ${unit.min}`;
}

/** How long, to the second: ``45 วิ``, ``1 นาที 5 วิ``, ``1 ชม. 0 นาที``. */
export function exactly(seconds: number, lang: Lang): string {
  const whole = Math.max(0, Math.round(seconds));
  const unit = UNITS[lang];
  if (whole < 60) return `${whole} ${unit.s}`;
  if (whole < 3600) return `${Math.floor(whole / 60)} ${unit.min} ${whole % 60} ${unit.s}`;
  return `${Math.floor(whole / 3600)} ${unit.h} ${Math.floor(whole / 60) % 60} ${unit.min}`;
}

/** ``2026-11-22T14:05`` on the zone's clock, as a date input holds it. */
export function secondsToLocal(seconds: number, zone: string): string {
  const parts = format('en', zone, 'local', {
    calendar: 'gregory', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit',
  }).formatToParts(seconds * 1000);
  const part = (type: string): string => parts.find((p) => p.type === type)?.value ?? '';
  return `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}`;
}

/** The seconds since 1970 of what a date input holds; null when it is no time. */
export function localToSeconds(text: string, zone: string): number | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(text)) return null;
  const asUtc = Date.parse(`${text}Z`) / 1000;
  if (!Number.isFinite(asUtc)) return null;
  // The zone's offset at that time; asked twice, because the first guess may lie on the other side of a change.
  let guess = asUtc;
  for (let turn = 0; turn < 2; turn++) guess = asUtc - (Date.parse(`${secondsToLocal(guess, zone)}Z`) / 1000 - Math.floor(guess / 60) * 60);
  return guess;
}
