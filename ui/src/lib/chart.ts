/** A chart's numbers: how many events there were in equal stretches of time, or the values of numeric fields. */

import type { HubEvent } from './api';
import { date, hourMinute, hourOf } from './dates';
import type { Lang } from './text';

export interface Mark {
  at: number;
  value: number;
}

export interface Series {
  key: string;
  points: Mark[];
}

// Stretches that people count in, seconds.
const STRETCHES = [60, 300, 900, 3600, 3 * 3600, 6 * 3600, 86_400, 7 * 86_400, 30 * 86_400];
const WANTED = 48;

/** The shortest stretch with which the time has at most 48 of them. */
export function stretchFor(span: number): number {
  return STRETCHES.find((stretch) => span / stretch <= WANTED) ?? STRETCHES.at(-1)!;
}

/** How many events began in each stretch; stretches without any are zeros between the first and the last. */
export function counted(events: readonly HubEvent[], now: number): { points: Mark[]; stretch: number } {
  const first = events.reduce((least, event) => Math.min(least, event.at), now);
  const stretch = stretchFor(now - first);
  const begin = Math.floor(first / stretch) * stretch;
  const points: Mark[] = [];
  for (let at = begin; at <= now; at += stretch) points.push({ at, value: 0 });
  for (const event of events) {
    const point = points[Math.floor((event.at - begin) / stretch)];
    if (point) point.value += 1;
  }
  return { points, stretch };
}

/** The numeric fields of the events, oldest first. */
export function measured(events: readonly HubEvent[], fields: readonly string[]): Series[] {
  const sorted = [...events].sort((a, b) => a.at - b.at || a.seq - b.seq);
  return fields.map((key) => ({
    key,
    points: sorted.flatMap((event) => {
      const value = event.data[key];
      return typeof value === 'number' && Number.isFinite(value) ? [{ at: event.at, value }] : [];
    }),
  }));
}

/** Round values for the axis, from at most the least to at least the greatest; ``whole``: nothing between 0 and 1. */
export function ticks(low: number, high: number, whole = false, wanted = 4): number[] {
  if (!(high > low)) return low === 0 ? [0, 1] : [Math.min(0, low), Math.max(0, high)].sort((a, b) => a - b);
  const rough = Math.max((high - low) / wanted, whole ? 1 : 0);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough)!;
  const found: number[] = [];
  for (let at = Math.floor(low / step); at * step < high + step * 0.999; at++) found.push(Number((at * step).toPrecision(12)));
  return found;
}

/** Times for the axis that fall on full hours or days of the station, at most ``wanted``. */
export function timeTicks(from: number, to: number, zone: string, wanted = 6): number[] {
  const step = STRETCHES.find((stretch) => (to - from) / stretch <= wanted) ?? STRETCHES.at(-1)!;
  const offset = step >= 86_400 ? hourOf(0, zone) * 3600 : 0; // days begin at the station's midnight
  const found: number[] = [];
  for (let at = Math.ceil((from + offset) / step) * step - offset; at <= to; at += step) found.push(at);
  return found;
}

/** ``14:05``, or the day in the Buddhist era when the axis spans more than a day and a half. */
export function timeWords(at: number, span: number, lang: Lang, zone: string): string {
  return span > 36 * 3600 ? date(at, lang, zone) : hourMinute(at, zone);
}
