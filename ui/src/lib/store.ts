/**
 * All states of the zone, outside the screen's reactivity. The screen is told at most ten times a second what has
 * changed, except that critical alarms, confirmations and hits pass at once.
 */

import type { State } from './api';
import type { Change, CoalescedFrame, EventsFrame, StateFrame, Timers } from './stream';
import { browserTimers } from './stream';
import { domainOf } from './text';

export const BATCH_MS = 100;

export interface Update {
  /** Domains of which something changed. */
  domains: ReadonlySet<string>;
  /** The changes themselves, for those who follow one entity or type; bounded. */
  changes: readonly Change[];
  /** Everything is new: what was shown before may have gone. */
  whole: boolean;
}

export type Listener = (update: Update) => void;

const MAX_CHANGES = 2_000;

export class Store {
  readonly #states = new Map<string, State>();
  readonly #byDomain = new Map<string, Map<string, State>>();
  readonly #listeners = new Set<Listener>();
  #domains = new Set<string>();
  #changes: Change[] = [];
  #whole = false;
  #timer: number | null = null;
  readonly #timers: Timers;

  constructor(timers: Timers = browserTimers) {
    this.#timers = timers;
  }

  get(entity: string): State | undefined {
    return this.#states.get(entity);
  }

  get size(): number {
    return this.#states.size;
  }

  all(): State[] {
    return [...this.#states.values()];
  }

  domain(name: string): State[] {
    return [...(this.#byDomain.get(name)?.values() ?? [])];
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  reset(frame: StateFrame): void {
    for (const domain of this.#byDomain.keys()) this.#domains.add(domain);
    this.#states.clear();
    this.#byDomain.clear();
    for (const state of frame.states) this.#put(state);
    this.#changes = [];
    this.#whole = true;
    this.flush();
  }

  events(frame: EventsFrame): void {
    let urgent = false;
    for (const change of frame.events) {
      this.#apply(change);
      urgent ||= isUrgent(change);
    }
    if (urgent) this.flush();
    else this.#later();
  }

  coalesced(frame: CoalescedFrame): void {
    for (const state of frame.states) this.#put(state);
    for (const entity of frame.removed) this.#remove(entity);
    this.#later();
  }

  clear(): void {
    this.reset({ type: 'state', seq: 0, states: [], now: 0 });
  }

  /** Tell the listeners now. */
  flush(): void {
    if (this.#timer !== null) this.#timers.clear(this.#timer);
    this.#timer = null;
    const update: Update = { domains: this.#domains, changes: this.#changes, whole: this.#whole };
    if (!update.whole && update.domains.size === 0 && update.changes.length === 0) return;
    this.#domains = new Set();
    this.#changes = [];
    this.#whole = false;
    for (const listener of this.#listeners) listener(update);
  }

  #later(): void {
    if (this.#timer === null) this.#timer = this.#timers.set(() => this.flush(), BATCH_MS);
  }

  #apply(change: Change): void {
    if (change.state) this.#put(change.state);
    else if (change.removed && change.event.entity) this.#remove(change.event.entity);
    if (this.#changes.length < MAX_CHANGES) this.#changes.push(change);
  }

  #put(state: State): void {
    const domain = domainOf(state.entity);
    this.#states.set(state.entity, state);
    let group = this.#byDomain.get(domain);
    if (!group) this.#byDomain.set(domain, (group = new Map()));
    group.set(state.entity, state);
    this.#domains.add(domain);
  }

  #remove(entity: string): void {
    const domain = domainOf(entity);
    this.#states.delete(entity);
    this.#byDomain.get(domain)?.delete(entity);
    this.#domains.add(domain);
  }
}

/** Must an officer see or hear this before the next batch? */
export function isUrgent({ event, state }: Change): boolean {
  const domain = domainOf(event.entity ?? '');
  if (domain === 'confirmation' || domain === 'hit') return true;
  return (domain === 'alarm' || domain === 'incident') && state?.attributes['priority'] === 'critical';
}
