/**
 * The hub's stream: the whole state at N, then what was committed after N. A gap asks for the state again. A closed
 * socket is not the only way to be cut off, so the hub beats each second and silence counts as a lost link.
 */

import type { HubEvent, State } from './api';

export interface StateFrame {
  type: 'state';
  seq: number;
  states: State[];
  now: number;
}

export interface Change {
  event: HubEvent;
  state: State | null;
  removed: boolean;
}

export interface EventsFrame {
  type: 'events';
  from: number;
  to: number;
  events: Change[];
}

export interface CoalescedFrame {
  type: 'coalesced';
  seq: number;
  states: State[];
  removed: string[];
}

export interface BeatFrame {
  type: 'beat';
  seq: number;
  now: number;
}

export type Frame = StateFrame | EventsFrame | CoalescedFrame | BeatFrame;
export type Link = 'connecting' | 'live' | 'lost';

/** What takes the frames in, in order and without gaps. */
export interface Sink {
  state(frame: StateFrame): void;
  events(frame: EventsFrame): void;
  coalesced(frame: CoalescedFrame): void;
  beat(now: number): void;
  link(link: Link): void;
  /** The socket closed: is the session still good? */
  closed(): void;
}

export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((message: { data: string }) => void) | null;
  onclose: (() => void) | null;
  send(text: string): void;
  close(): void;
}

export interface Timers {
  set(call: () => void, ms: number): number;
  clear(timer: number): void;
}

export const browserTimers: Timers = {
  set: (call, ms) => window.setTimeout(call, ms),
  clear: (timer) => window.clearTimeout(timer),
};

/** Silence after which the link counts as lost: the banner stands before three seconds have passed. */
export const LOST_AFTER_MS = 2_700;
/** After a loss the link must hold this long before the banner goes, so that a failing link does not flicker. */
export const STEADY_MS = 1_500;
const BACKOFF_MS = [250, 500, 1_000, 2_000, 4_000, 8_000];
const ACK_EVERY = 500;

export class StreamClient {
  seq = 0;
  #socket: Socket | null = null;
  #hasState = false;
  #attempt = 0;
  #acked = 0;
  #link: Link = 'connecting';
  #silence: number | null = null;
  #retry: number | null = null;
  #steady: number | null = null;
  #stopped = true;
  readonly #open: () => Socket;
  readonly #sink: Sink;
  readonly #timers: Timers;
  readonly #random: () => number;

  constructor(open: () => Socket, sink: Sink, timers: Timers = browserTimers, random: () => number = Math.random) {
    this.#open = open;
    this.#sink = sink;
    this.#timers = timers;
    this.#random = random;
  }

  start(): void {
    this.#stopped = false;
    this.#say('connecting');
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    this.#drop();
    if (this.#retry !== null) this.#timers.clear(this.#retry);
    this.#retry = null;
  }

  /** Try at once, for a person who does not want to wait. */
  reconnect(): void {
    if (this.#stopped) return;
    if (this.#retry !== null) this.#timers.clear(this.#retry);
    this.#retry = null;
    this.#attempt = 0;
    this.#drop();
    this.#connect();
  }

  #connect(): void {
    this.#hasState = false;
    const socket = this.#open();
    this.#socket = socket;
    this.#watch();
    socket.onmessage = ({ data }) => this.#receive(socket, data);
    socket.onclose = () => this.#lose(socket);
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    if (this.#silence !== null) this.#timers.clear(this.#silence);
    this.#silence = null;
    if (this.#steady !== null) this.#timers.clear(this.#steady);
    this.#steady = null;
    socket?.close();
  }

  #watch(): void {
    if (this.#silence !== null) this.#timers.clear(this.#silence);
    this.#silence = this.#timers.set(() => this.#lose(this.#socket), LOST_AFTER_MS);
  }

  #lose(socket: Socket | null): void {
    if (socket === null || socket !== this.#socket || this.#stopped) return;
    this.#drop();
    this.#say('lost');
    this.#sink.closed();
    const wait = BACKOFF_MS[Math.min(this.#attempt++, BACKOFF_MS.length - 1)]!;
    this.#retry = this.#timers.set(
      () => {
        this.#retry = null;
        this.#connect();
      },
      wait * (0.75 + this.#random() * 0.5),
    );
  }

  #receive(socket: Socket, text: string): void {
    if (socket !== this.#socket) return;
    const frame = parseFrame(text);
    if (!frame) return;
    this.#watch();
    if (frame.type === 'state') this.#takeState(frame);
    else if (frame.type === 'beat') this.#sink.beat(frame.now);
    else if (!this.#hasState) return; // what came before the state is in the state
    else if (frame.type === 'events') this.#takeEvents(frame);
    else this.#takeCoalesced(frame);
  }

  #takeState(frame: StateFrame): void {
    this.seq = frame.seq;
    this.#acked = frame.seq;
    this.#hasState = true;
    this.#sink.beat(frame.now);
    this.#sink.state(frame);
    if (this.#link === 'lost') this.#steady ??= this.#timers.set(() => this.#recover(), STEADY_MS);
    else this.#recover();
  }

  #recover(): void {
    this.#attempt = 0;
    this.#say('live');
  }

  #takeEvents(frame: EventsFrame): void {
    if (frame.to <= this.seq) return;
    if (frame.from > this.seq + 1) {
      this.#hasState = false;
      this.#socket?.send(JSON.stringify({ type: 'resync' }));
      return;
    }
    const after = this.seq;
    this.seq = frame.to;
    this.#sink.events({ ...frame, events: frame.events.filter(({ event }) => event.seq > after) });
    this.#ack();
  }

  #takeCoalesced(frame: CoalescedFrame): void {
    if (frame.seq < this.seq) return;
    this.seq = frame.seq;
    this.#sink.coalesced(frame);
    this.#ack();
  }

  #ack(): void {
    if (this.seq - this.#acked < ACK_EVERY) return;
    this.#acked = this.seq;
    this.#socket?.send(JSON.stringify({ type: 'ack', seq: this.seq }));
  }

  #say(link: Link): void {
    if (link === this.#link && link !== 'connecting') return;
    this.#link = link;
    this.#sink.link(link);
  }
}

export function parseFrame(text: string): Frame | null {
  try {
    const frame = JSON.parse(text) as Frame;
    return ['state', 'events', 'coalesced', 'beat'].includes(frame?.type) ? frame : null;
  } catch {
    return null;
  }
}

/** The stream's address beside the page's own. */
export function streamUrl(location: { protocol: string; host: string }): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/stream`;
}
