/** An officer who needs help: any entity whose state says so, whatever plugin it came from. */

import type { LatLon, State } from './api';
import { num, positionOf, str } from './entity';

export interface Sos {
  at: number;
  /** ``button``, or ``dead_man`` when a timer ran out without a tap. */
  kind: string;
}

export function sosOf(state: State): Sos | null {
  const at = num(state, 'sos_at');
  return at === null ? null : { at, kind: str(state, 'sos_kind', 20) || 'button' };
}

/** Where help was asked for, when the entity has no position of its own. */
export function sosPosition(state: State): LatLon | null {
  const [lat, lon] = [num(state, 'sos_lat'), num(state, 'sos_lon')];
  return sosOf(state) && lat !== null && lon !== null ? [lat, lon] : null;
}

export function helpPosition(state: State): LatLon | null {
  return sosPosition(state) ?? positionOf(state);
}

/** The oldest call first: that officer has waited longest. */
export function callsForHelp(states: readonly State[]): State[] {
  return states.filter((state) => sosOf(state)).toSorted((a, b) => sosOf(a)!.at - sosOf(b)!.at);
}
