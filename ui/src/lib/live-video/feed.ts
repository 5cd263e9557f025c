/** The connection to one camera's live pictures: opened again with growing waits, silence counts as a lost link. */

import type { Timers } from '../stream';
import { CHANGED, ENDED, parsePiece, parseText, SIGNED_OUT, type Header, type Piece, type ViewNote } from './protocol';

export interface LiveSocket {
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((message: { data: string | ArrayBuffer }) => void) | null;
  onclose: ((end: { code: number; reason: string }) => void) | null;
  close(): void;
}

/** Why the hub does not show it; ``words`` are the hub's own. */
export interface Refusal {
  code: string;
  words: string;
}

export interface FeedSink {
  view(view: ViewNote): void;
  header(header: Header): void;
  piece(piece: Piece): void;
  /** The hub's clock. */
  beat(now: number): void;
  /** Nothing comes: the link is lost and is being tried again. */
  lost(): void;
  /** The hub said no; it is asked again after a while. */
  refused(why: Refusal): void;
}

/** The hub beats each second. */
export const SILENT_MS = 4_000;
const BACKOFF_MS = [300, 700, 1_500, 3_000, 6_000];
const REFUSED_MS = 20_000;
const BUSY_MS = 8_000;

export class LiveFeed {
  #socket: LiveSocket | null = null;
  #opened = false;
  #attempt = 0;
  #silence: number | null = null;
  #retry: number | null = null;
  #stopped = true;
  readonly #open: () => LiveSocket;
  readonly #why: () => Promise<{ status: number } & Refusal>;
  readonly #sink: FeedSink;
  readonly #timers: Timers;
  readonly #random: () => number;

  /** ``why`` asks for the reason of a refusal, which a browser does not show of a socket. */
  constructor(open: () => LiveSocket, why: () => Promise<{ status: number } & Refusal>, sink: FeedSink, timers: Timers, random: () => number = Math.random) {
    this.#open = open;
    this.#why = why;
    this.#sink = sink;
    this.#timers = timers;
    this.#random = random;
  }

  start(): void {
    this.#stopped = false;
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    this.#drop();
    if (this.#retry !== null) this.#timers.clear(this.#retry);
    this.#retry = null;
  }

  #connect(): void {
    const socket = this.#open();
    this.#socket = socket;
    this.#opened = false;
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#take(data);
    };
    socket.onclose = (end) => {
      if (socket === this.#socket) void this.#closed(end.code, end.reason);
    };
    this.#watch();
  }

  #take(data: string | ArrayBuffer): void {
    this.#watch();
    this.#opened = true;
    this.#attempt = 0;
    if (typeof data !== 'string') {
      const piece = parsePiece(data);
      if (piece) this.#sink.piece(piece);
      return;
    }
    const frame = parseText(data);
    if (frame?.type === 'beat') this.#sink.beat(frame.now);
    else if (frame?.type === 'view') this.#sink.view(frame.view);
    else if (frame?.type === 'header') this.#sink.header(frame.header);
  }

  #watch(): void {
    if (this.#silence !== null) this.#timers.clear(this.#silence);
    this.#silence = this.#timers.set(() => void this.#closed(0, ''), SILENT_MS);
  }

  async #closed(code: number, reason: string): Promise<void> {
    const opened = this.#opened;
    this.#drop();
    if (this.#stopped || code === SIGNED_OUT) return;
    if (code === CHANGED) return this.#again(50);
    if (code === ENDED) {
      this.#sink.refused({ code: 'ended', words: reason });
      return this.#again(REFUSED_MS);
    }
    if (!opened && code !== 0) {
      const why = await this.#why().catch(() => null);
      if (this.#stopped) return;
      if (why && [403, 404, 429].includes(why.status)) {
        this.#sink.refused(why);
        return this.#again(why.status === 403 ? REFUSED_MS : BUSY_MS);
      }
    }
    this.#sink.lost();
    this.#again(BACKOFF_MS[Math.min(this.#attempt++, BACKOFF_MS.length - 1)]!);
  }

  #again(ms: number): void {
    if (this.#retry !== null) this.#timers.clear(this.#retry);
    this.#retry = this.#timers.set(
      () => {
        this.#retry = null;
        if (!this.#stopped) this.#connect();
      },
      ms * (0.75 + this.#random() * 0.5),
    );
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    if (this.#silence !== null) this.#timers.clear(this.#silence);
    this.#silence = null;
    socket?.close();
  }
}
