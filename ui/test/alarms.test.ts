import { describe, expect, it } from 'vitest';
import { FLOOD, foldKey, priorityOf, rowsOf, soundingPriority, windowAround } from '../src/lib/alarms';
import { state } from './helpers';

const alarm = (id: string, value: string, priority: string, raised: number, more: Record<string, unknown> = {}) =>
  state(`alarm.${id}`, value, { priority, raised_at: raised, title: id, ...more });

describe('the alarm list', () => {
  it('puts the unacknowledged first, then by priority, then the newest', () => {
    const alarms = [
      alarm('shelved', 'shelved', 'critical', 9),
      alarm('acked', 'acknowledged', 'critical', 9),
      alarm('info', 'unacknowledged', 'info', 9),
      alarm('old_high', 'unacknowledged', 'high', 1),
      alarm('new_high', 'unacknowledged', 'high', 2),
      alarm('critical', 'unacknowledged', 'critical', 0),
      alarm('normal', 'unacknowledged', 'normal', 9),
    ];
    const order = rowsOf(alarms).map((row) => row.head.attributes['title']);
    expect(order).toEqual(['critical', 'new_high', 'old_high', 'normal', 'info', 'acked', 'shelved']);
  });

  it('keeps its order when a state is a word that objects have of their own', () => {
    const alarms = [alarm('odd', 'constructor', 'high', 1), alarm('open', 'unacknowledged', 'info', 0), alarm('shelved', 'shelved', 'critical', 2)];
    expect(rowsOf(alarms).map((row) => row.head.attributes['title'])).toEqual(['open', 'odd', 'shelved']);
  });

  it('takes an unknown or masked priority as normal', () => {
    expect(priorityOf(alarm('x', 'unacknowledged', '•••', 0))).toBe('normal');
    expect(priorityOf(undefined)).toBe('normal');
  });

  it('folds a flood by incident and place, shows counts and drops nothing', () => {
    const flood = Array.from({ length: 300 }, (_, n) =>
      alarm(`f${n}`, 'unacknowledged', n % 2 ? 'high' : 'normal', n, n < 100 ? { incident: 'incident.1', place: 'x' } : { place: `p${n % 4}`, count: 2 }),
    );
    const lone = alarm('lone', 'unacknowledged', 'critical', 0);
    const rows = rowsOf([...flood, lone]);
    expect(rows).toHaveLength(6);
    expect(rows[0]!.head).toBe(lone);
    expect(rows.reduce((sum, row) => sum + row.members.length, 0)).toBe(301);
    expect(rows.reduce((sum, row) => sum + row.count, 0)).toBe(100 + 200 * 2 + 1);
    const folded = rows.find((row) => row.key === 'fold:unacknowledged:incident.1')!;
    expect(folded.members).toHaveLength(100);
    expect(priorityOf(folded.head)).toBe('high');
  });

  it('never folds an acknowledged alarm together with one that is not', () => {
    expect(foldKey(alarm('a', 'acknowledged', 'high', 0, { place: 'x' }))).not.toBe(foldKey(alarm('b', 'unacknowledged', 'high', 0, { place: 'x' })));
  });

  it('shows each member of a row that was opened', () => {
    const flood = Array.from({ length: FLOOD + 1 }, (_, n) => alarm(`f${n}`, 'unacknowledged', 'high', n, { place: 'x' }));
    expect(rowsOf(flood)).toHaveLength(1);
    expect(rowsOf(flood, new Set(['fold:unacknowledged:x']))).toHaveLength(FLOOD + 1);
    expect(rowsOf(flood.slice(1))).toHaveLength(FLOOD);
  });

  it('renders a stretch of a long list around the selection', () => {
    expect(windowAround(20, 5, 60)).toEqual({ from: 0, to: 20 });
    expect(windowAround(10_000, 0, 60)).toEqual({ from: 0, to: 60 });
    expect(windowAround(10_000, 5_000, 60)).toEqual({ from: 4_970, to: 5_030 });
    expect(windowAround(10_000, 9_999, 60)).toEqual({ from: 9_940, to: 10_000 });
  });
});

describe('what must sound', () => {
  it('is the highest unacknowledged priority; information is silent', () => {
    expect(soundingPriority([])).toBeNull();
    expect(soundingPriority([alarm('a', 'unacknowledged', 'info', 0)])).toBeNull();
    expect(soundingPriority([alarm('a', 'acknowledged', 'critical', 0), alarm('b', 'shelved', 'critical', 0)])).toBeNull();
    expect(soundingPriority([alarm('a', 'unacknowledged', 'normal', 0), alarm('b', 'unacknowledged', 'high', 0)])).toBe('high');
  });
});
