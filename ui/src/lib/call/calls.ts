/** Calls in the order in which they are to be looked at. */

import type { State } from '../api';
import { nameOf, num, str } from '../entity';
import type { Lang } from '../text';

/** Ringing first, the longest wait on top; then those that talk; an ended call is no longer here. */
export function openCalls(calls: readonly State[]): State[] {
  const rank = (call: State): number => (call.state === 'ringing' ? 0 : 1);
  return calls.filter((call) => call.state === 'ringing' || call.state === 'talking').toSorted((a, b) => rank(a) - rank(b) || ringsSince(a) - ringsSince(b));
}

/** The newest first. */
export function endedCalls(calls: readonly State[]): State[] {
  return calls.filter((call) => call.state === 'ended').toSorted((a, b) => (num(b, 'ended_at') ?? 0) - (num(a, 'ended_at') ?? 0));
}

/** Since when it rings; a transfer begins anew. */
export function ringsSince(call: State): number {
  return num(call, 'rings_since') ?? num(call, 'started_at') ?? call.updated;
}

/** The place in the officer's language, where its sticker is known. */
export function placeOf(call: State, sticker: State | undefined, lang: Lang): string {
  return sticker ? nameOf(sticker, lang) : str(call, 'place', 120);
}

/** Does this officer have it? */
export function isMine(call: State, user: string | undefined): boolean {
  return call.state === 'talking' && user !== undefined && str(call, 'officer') === `user:${user}`;
}

/** The media ids of its recordings, oldest first. */
export function recordingsOf(call: State): string[] {
  const list = call.attributes['recordings'];
  return Array.isArray(list) ? list.filter((item): item is string => typeof item === 'string' && /^[0-9a-f]{64}$/.test(item)) : [];
}
