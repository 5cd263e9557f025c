import { beforeEach, describe, expect, it } from 'vitest';
import { BATCH_MS, Store, type Update } from '../src/lib/store';
import type { Change } from '../src/lib/stream';
import { change, event, ManualTimers, state } from './helpers';

let timers: ManualTimers;
let store: Store;
let updates: Update[];

const frame = (...changes: Change[]) => ({ type: 'events' as const, from: 1, to: 1, events: changes });

beforeEach(() => {
  timers = new ManualTimers();
  store = new Store(timers);
  updates = [];
  store.reset({ type: 'state', seq: 1, states: [state('unit.a', 'busy'), state('camera.c', 'idle')], now: 0 });
  store.listen((update) => updates.push(update));
});

describe('the store', () => {
  it('tells of a thousand moves ten times a second', () => {
    for (let step = 0; step < 1000; step++) {
      store.events(frame(change(step + 2, 'unit.a', 'available', { lat: step })));
      timers.pass(1);
    }
    expect(updates.length).toBeGreaterThanOrEqual(9);
    expect(updates.length).toBeLessThanOrEqual(10);
    timers.pass(BATCH_MS);
    expect(store.get('unit.a')?.attributes['lat']).toBe(999);
    expect([...updates[0]!.domains]).toEqual(['unit']);
  });

  it.each([
    ['a critical alarm', change(2, 'alarm.x', 'unacknowledged', { priority: 'critical' })],
    ['a critical incident', change(2, 'incident.x', 'open', { priority: 'critical' })],
    ['a hit', change(2, 'hit.x', 'pending')],
    ['a confirmation', change(2, 'confirmation.x', 'pending')],
  ])('lets %s pass at once, with what waited', (_, urgent) => {
    store.events(frame(change(1, 'unit.a', 'available')));
    expect(updates).toHaveLength(0);
    store.events(frame(urgent));
    expect(updates).toHaveLength(1);
    expect(updates[0]!.changes).toHaveLength(2);
    timers.pass(BATCH_MS * 2);
    expect(updates).toHaveLength(1);
  });

  it('lets an ordinary alarm wait for the batch', () => {
    store.events(frame(change(2, 'alarm.x', 'unacknowledged', { priority: 'high' })));
    expect(updates).toHaveLength(0);
    timers.pass(BATCH_MS);
    expect(updates).toHaveLength(1);
  });

  it('removes what is gone, and keeps what an event does not touch', () => {
    store.events(frame({ event: event(2, 'entity_removed', 'unit.a'), state: null, removed: true }));
    store.events(frame({ event: event(3, 'plate_read', 'camera.c', { crop: 'm' }), state: null, removed: false }));
    expect(store.get('unit.a')).toBeUndefined();
    expect(store.domain('unit')).toEqual([]);
    expect(store.get('camera.c')?.state).toBe('idle');
    timers.pass(BATCH_MS);
    expect(updates[0]!.changes.map((one) => one.event.type)).toEqual(['entity_removed', 'plate_read']);
  });

  it('takes coalesced states', () => {
    store.coalesced({ type: 'coalesced', seq: 9, states: [state('unit.b', 'available')], removed: ['unit.a'] });
    timers.pass(BATCH_MS);
    expect(store.domain('unit').map((one) => one.entity)).toEqual(['unit.b']);
  });

  it('forgets everything at a new whole state and names the domains that are empty now', () => {
    store.reset({ type: 'state', seq: 50, states: [state('camera.c', 'motion')], now: 0 });
    expect(updates).toHaveLength(1);
    expect(updates[0]!.whole).toBe(true);
    expect([...updates[0]!.domains].sort()).toEqual(['camera', 'unit']);
    expect(store.all().map((one) => one.entity)).toEqual(['camera.c']);
  });

  it('stops telling a listener that has left', () => {
    const more: Update[] = [];
    const leave = store.listen((update) => more.push(update));
    leave();
    store.events(frame(change(2, 'hit.x', 'pending')));
    expect(more).toHaveLength(0);
  });
});
