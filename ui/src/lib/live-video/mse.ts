/** Fragments of MP4 played at the live edge with Media Source Extensions, in one video element. */

import type { Fmp4Header, Piece } from './protocol';

/** Seconds behind the newest picture at which it jumps to it, and at which it plays a little faster. */
const JUMP_S = 1.6;
const HURRY_S = 0.7;
const EDGE_S = 0.15;
const KEEP_S = 8;
const MAX_WAITING = 400;

export class MsePlayer {
  readonly #video: HTMLVideoElement;
  readonly #source = new MediaSource();
  readonly #url: string;
  readonly #onfault: () => void;
  #buffer: SourceBuffer | null = null;
  #waiting: Piece[] = [];
  #newest = 0;
  #newestAt = 0;
  #closed = false;

  static plays(header: Fmp4Header): boolean {
    return 'MediaSource' in window && MediaSource.isTypeSupported(typeOf(header));
  }

  /** ``onfault``: it cannot go on with this stream; begin a new one. */
  constructor(video: HTMLVideoElement, header: Fmp4Header, onfault: () => void) {
    this.#video = video;
    this.#onfault = onfault;
    this.#url = URL.createObjectURL(this.#source);
    this.#source.addEventListener('sourceopen', () => this.#opened(header), { once: true });
    video.addEventListener('error', this.#fault);
    video.src = this.#url;
  }

  /** When the hub got the picture that is on the screen, by the hub's clock; 0 before the first. */
  get shownAt(): number {
    if (!this.#newestAt || this.#video.readyState < 2) return 0;
    return this.#newestAt - Math.max(this.#newest - this.#video.currentTime, 0);
  }

  take(piece: Piece): void {
    if (this.#waiting.length >= MAX_WAITING) this.#waiting = this.#waiting.filter(({ init }) => init);
    this.#waiting.push(piece);
    this.#feed();
  }

  close(): void {
    this.#closed = true;
    this.#video.removeEventListener('error', this.#fault);
    this.#video.removeAttribute('src');
    this.#video.load();
    URL.revokeObjectURL(this.#url);
  }

  #fault = (): void => {
    if (!this.#closed) this.#onfault();
  };

  #opened(header: Fmp4Header): void {
    if (this.#closed) return;
    try {
      this.#buffer = this.#source.addSourceBuffer(typeOf(header));
    } catch {
      return this.#fault();
    }
    this.#buffer.addEventListener('updateend', () => this.#updated());
    this.#feed();
  }

  #feed(): void {
    const buffer = this.#buffer;
    if (!buffer || buffer.updating || !this.#waiting.length || this.#closed) return;
    const pieces = this.#waiting;
    this.#waiting = [];
    this.#newestAt = pieces.findLast(({ init }) => !init)?.at ?? this.#newestAt;
    try {
      buffer.appendBuffer(joined(pieces));
    } catch {
      this.#fault();
    }
  }

  #updated(): void {
    if (this.#closed || this.#source.readyState !== 'open') return;
    const { buffered } = this.#video;
    if (buffered.length) {
      this.#newest = buffered.end(buffered.length - 1);
      this.#follow(buffered.start(buffered.length - 1));
      if (this.#trim(buffered.start(0))) return;
    }
    this.#feed();
  }

  /** Stay near the newest picture; pictures that were passed over leave a gap that is jumped. */
  #follow(lastStart: number): void {
    const video = this.#video;
    const behind = this.#newest - video.currentTime;
    if (behind > JUMP_S || video.currentTime < lastStart) {
      video.currentTime = Math.max(this.#newest - EDGE_S, lastStart);
      video.playbackRate = 1;
    } else {
      video.playbackRate = behind > HURRY_S ? 1.1 : 1;
    }
    if (video.paused) void video.play().catch(() => {}); // hidden pages may not play; it is tried with the next picture
  }

  #trim(begin: number): boolean {
    const until = this.#video.currentTime - KEEP_S;
    if (!this.#buffer || until - begin < KEEP_S) return false;
    this.#buffer.remove(begin, until);
    return true;
  }
}

function typeOf(header: Fmp4Header): string {
  return `video/mp4; codecs="${header.codecs}"`;
}

function joined(pieces: readonly Piece[]): Uint8Array<ArrayBuffer> {
  if (pieces.length === 1) return pieces[0]!.data;
  const whole = new Uint8Array(pieces.reduce((size, { data }) => size + data.length, 0));
  let at = 0;
  for (const { data } of pieces) {
    whole.set(data, at);
    at += data.length;
  }
  return whole;
}
