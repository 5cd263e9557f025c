/** Who is on duty, from the entity ``shift.current``. */

import type { State } from './api';
import { num } from './entity';
import { clean, words, type Lang } from './text';

export interface Duty {
  officers: string[];
  /** Their accounts, without ``user:``. */
  accounts: string[];
  /** Nobody has heard this shift's alarm sound yet. */
  unheard: boolean;
  since: number | null;
  until: number | null;
  /** How many have come and how many are needed, when too few have. */
  short: { count: number; needed: number } | null;
}

export const SHIFT = 'shift.current';
const MAX_OFFICERS = 20;

export function dutyOf(shift: State | undefined, lang: Lang): Duty | null {
  if (!shift || shift.state === 'unknown') return null;
  const found = shift.attributes['officers'];
  const rows: unknown[] = (Array.isArray(found) ? found : []).slice(0, MAX_OFFICERS);
  const officers = rows.map((one) => officer(one, lang)).filter(Boolean);
  const unheard = shift.state !== 'none' && shift.attributes['sound_test'] !== 'heard';
  const [count, needed] = [num(shift, 'count') ?? officers.length, num(shift, 'needed') ?? 0];
  return { officers, accounts: rows.map(account), unheard, since: num(shift, 'since'), until: num(shift, 'until'), short: count < needed ? { count, needed } : null };
}

function account(value: unknown): string {
  const own = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)['account'] : value;
  return clean(own, 60).replace(/^user:/, '');
}

/** A name, an account (``user:NAME``), or a record with a name. */
function officer(value: unknown, lang: Lang): string {
  if (typeof value !== 'object' || value === null) return clean(value, 60).replace(/^user:/, '');
  const { name, title } = value as Record<string, unknown>;
  const said = words(name, lang, 60) && [words(title, lang, 30), words(name, lang, 60)].filter(Boolean).join(' ');
  return said || account(value);
}

export interface Silent {
  entity: string;
  lastSign: number | null;
}

/** Devices and plugins of which nothing was heard for longer than they declared, the longest silent first. */
export function silentOf(states: readonly State[]): Silent[] {
  return states
    .filter((state) => state.attributes['silent'] === true)
    .map((state) => ({ entity: state.entity, lastSign: num(state, 'last_sign') }))
    .sort((a, b) => (a.lastSign ?? 0) - (b.lastSign ?? 0) || (a.entity < b.entity ? -1 : 1));
}
