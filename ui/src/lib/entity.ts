/** Reading an entity's state: attributes come from outside and may be missing, masked or of another type. */

import type { LatLon, State } from './api';
import { clean, compareNames, objectId, words, type Lang } from './text';

export const MASK = '•••';

export function num(state: State | undefined, key: string): number | null {
  const value = state?.attributes[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

export function str(state: State | undefined, key: string, limit?: number): string {
  const value = state?.attributes[key];
  return value === null || value === undefined ? '' : clean(value, limit);
}

/** The texts of a list, at most 16. */
export function texts(state: State | undefined, key: string, limit?: number): string[] {
  const value = state?.attributes[key];
  return Array.isArray(value) ? value.slice(0, 16).filter((item) => typeof item === 'string').map((item) => clean(item, limit)) : [];
}

export function flag(state: State | undefined, key: string): boolean {
  return state?.attributes[key] === true;
}

export function nameOf(state: State | undefined, lang: Lang, fallback = ''): string {
  const given = state?.attributes['name'];
  return words(given, lang) || clean(objectId(state?.entity ?? fallback)).toUpperCase();
}

export function positionOf(state: State): LatLon | null {
  const lat = num(state, 'lat');
  const lon = num(state, 'lon');
  return lat === null || lon === null ? null : [lat, lon];
}

/** When it was last heard of: the device's own time of its position if it has one. */
export function heardAt(state: State): number {
  return num(state, 'fix_at') ?? state.updated;
}

/** Older than the silence its plugin declared, or out of reach. Without a declaration only reach counts. */
export function isStale(state: State, now: number): boolean {
  if (state.attributes['available'] === false || state.attributes['silent'] === true || state.state === 'unavailable') return true;
  const silent = num(state, 'silent_after');
  return silent !== null && now - heardAt(state) > silent;
}

export function isSimulated(state: State | undefined): boolean {
  return flag(state, 'simulated');
}

export function capabilities(state: State): string[] {
  const list = state.attributes['capabilities'];
  return Array.isArray(list) ? list.filter((item): item is string => typeof item === 'string') : [];
}

export function byName(lang: Lang): (a: State, b: State) => number {
  return (a, b) => compareNames(nameOf(a, lang), nameOf(b, lang), lang) || (a.entity < b.entity ? -1 : 1);
}

/** Metres between two points, on a sphere; good to 0.5 % at the size of a town. */
export function metres(a: LatLon, b: LatLon): number {
  const rad = Math.PI / 180;
  const mid = ((a[0] + b[0]) / 2) * rad;
  const x = (b[1] - a[1]) * rad * Math.cos(mid);
  const y = (b[0] - a[0]) * rad;
  return Math.hypot(x, y) * 6_371_000;
}

/** ``350 ม.`` / ``1.2 กม.`` */
export function distance(m: number, lang: Lang): string {
  const [near, far] = lang === 'th' ? ['ม.', 'กม.'] : ['m', 'km'];
  return m < 1000 ? `${Math.round(m)} ${near}` : `${(m / 1000).toFixed(1)} ${far}`;
}
