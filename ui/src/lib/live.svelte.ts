/** What the screen shows of the store: per domain a list that is replaced as a whole, so that reactivity stays cheap. */

import type { State } from './api';
import { soundingPriority, type Priority } from './alarms';
import { StreamClient, streamUrl, type Link, type Sink, type Socket } from './stream';
import { Store } from './store';

export type Listed = 'alarm' | 'incident' | 'hit' | 'confirmation' | 'unit' | 'camera' | 'drone' | 'plugin';

const NOTHING: readonly State[] = [];

class Live {
  readonly store = new Store();
  link = $state<Link>('connecting');
  /** The hub's clock, seconds: a desk computer's own clock may be wrong. */
  now = $state(Date.now() / 1000);
  /** When the link was lost, by the hub's clock. */
  lostAt = $state(0);
  #lists = $state.raw<Partial<Record<string, readonly State[]>>>({});
  /** Grows with each change of any entity, for those who read the store themselves. */
  version = $state(0);
  #offset = 0;
  #heard = 0;
  #ticker: number | null = null;
  #client: StreamClient | null = null;

  constructor() {
    this.store.listen(({ domains }) => {
      const lists = { ...this.#lists };
      for (const domain of domains) lists[domain] = this.store.domain(domain);
      this.#lists = lists;
      this.version += 1;
    });
  }

  list(domain: string): readonly State[] {
    return this.#lists[domain] ?? NOTHING;
  }

  /** One entity; whoever asks in a derivation is asked again when anything changes. */
  get(entity: string): State | undefined {
    void this.version;
    return this.store.get(entity);
  }

  sounding = $derived.by((): Priority | null => soundingPriority(this.list('alarm')));

  start(onClosed: () => void): void {
    this.stop();
    this.#client = new StreamClient(() => openSocket(), this.#sink(onClosed));
    this.#client.start();
    this.#ticker = window.setInterval(() => this.#tick(), 1_000);
  }

  stop(): void {
    this.#client?.stop();
    this.#client = null;
    if (this.#ticker !== null) window.clearInterval(this.#ticker);
    this.#ticker = null;
    this.store.clear();
  }

  reconnect(): void {
    this.#client?.reconnect();
  }

  #tick(): void {
    this.now = Date.now() / 1000 + this.#offset;
  }

  #sink(onClosed: () => void): Sink {
    return {
      state: (frame) => this.store.reset(frame),
      events: (frame) => this.store.events(frame),
      coalesced: (frame) => this.store.coalesced(frame),
      beat: (now) => {
        this.#heard = now;
        const offset = now - Date.now() / 1000;
        if (Math.abs(offset - this.#offset) > 0.5) {
          this.#offset = offset;
          this.#tick();
        }
      },
      link: (link) => {
        this.#tick();
        if (link === 'lost' && this.link !== 'lost') this.lostAt = this.#heard || this.now;
        this.link = link;
      },
      closed: onClosed,
    };
  }
}

function openSocket(): Socket {
  return new WebSocket(streamUrl(location)) as unknown as Socket;
}

export const live = new Live();
