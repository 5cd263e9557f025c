/** Alarms after ISA-18.2: order, folding of floods, and what must sound. */

import type { State } from './api';
import { num, str } from './entity';

export type Priority = 'critical' | 'high' | 'normal' | 'info';

export const PRIORITIES: readonly Priority[] = ['critical', 'high', 'normal', 'info'];
export const SHAPES: Record<Priority, string> = { critical: '▲', high: '◆', normal: '●', info: '○' };

export function priorityOf(state: State | undefined): Priority {
  const value = state?.attributes['priority'];
  return PRIORITIES.includes(value as Priority) ? (value as Priority) : 'normal';
}

export function isOpen(alarm: State): boolean {
  return alarm.state === 'unacknowledged';
}

export function raisedAt(alarm: State): number {
  return num(alarm, 'raised_at') ?? num(alarm, 'opened_at') ?? alarm.changed;
}

const STATE_ORDER = new Map([['unacknowledged', 0], ['acknowledged', 1], ['shelved', 2]]);

/** Unacknowledged first, then by priority, then the newest. */
export function compareAlarms(a: State, b: State): number {
  return (
    (STATE_ORDER.get(a.state) ?? 1) - (STATE_ORDER.get(b.state) ?? 1) ||
    PRIORITIES.indexOf(priorityOf(a)) - PRIORITIES.indexOf(priorityOf(b)) ||
    raisedAt(b) - raisedAt(a) ||
    (a.entity < b.entity ? -1 : 1)
  );
}

export interface AlarmRow {
  key: string;
  /** The one that is shown: the first in order. */
  head: State;
  members: State[];
  /** How often it came: the sum of what the hub counted. */
  count: number;
}

/** More than this many unacknowledged alarms at once is a flood. */
export const FLOOD = 10;

export function inFlood(alarms: readonly State[]): boolean {
  let open = 0;
  for (const alarm of alarms) if (isOpen(alarm) && ++open > FLOOD) return true;
  return false;
}

/** Rows of the list. In a flood, alarms of one incident, else of one place, share a row; nothing is dropped. */
export function rowsOf(alarms: readonly State[], opened: ReadonlySet<string> = new Set()): AlarmRow[] {
  const sorted = [...alarms].sort(compareAlarms);
  if (!inFlood(alarms)) return sorted.map((alarm) => row(alarm.entity, [alarm]));
  const groups = new Map<string, State[]>();
  for (const alarm of sorted) {
    const key = foldKey(alarm);
    const group = groups.get(key);
    if (group) group.push(alarm);
    else groups.set(key, [alarm]);
  }
  return [...groups].flatMap(([key, members]) =>
    opened.has(key) ? members.map((alarm) => row(alarm.entity, [alarm])) : [row(members.length > 1 ? key : members[0]!.entity, members)],
  );
}

export function foldKey(alarm: State): string {
  const group = str(alarm, 'incident') || str(alarm, 'place');
  return group ? `fold:${alarm.state}:${group}` : alarm.entity;
}

function row(key: string, members: State[]): AlarmRow {
  const count = members.reduce((sum, alarm) => sum + Math.max(1, num(alarm, 'count') ?? 1), 0);
  return { key, head: members[0]!, members, count };
}

/** The priority that must sound now: the highest unacknowledged one; information makes no sound. */
export function soundingPriority(alarms: readonly State[]): Priority | null {
  let best: Priority | null = null;
  for (const alarm of alarms) {
    const priority = priorityOf(alarm);
    if (!isOpen(alarm) || priority === 'info') continue;
    if (best === null || PRIORITIES.indexOf(priority) < PRIORITIES.indexOf(best)) best = priority;
  }
  return best;
}

/** A stretch of a long list around the selected row, so that ten thousand alarms do not stop the screen. */
export function windowAround(length: number, selected: number, size: number): { from: number; to: number } {
  if (length <= size) return { from: 0, to: length };
  const from = Math.min(Math.max(0, selected - Math.floor(size / 2)), length - size);
  return { from, to: from + size };
}
