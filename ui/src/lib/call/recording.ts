/**
 * Records a call in the officer's browser. It opens on the first video frame (sound alone would write a file without a
 * picture), sends each second to the hub, and begins a new piece every two minutes, so that no fault costs more.
 */

import { Upload, type Kept } from './upload';

export const SLICE_MS = 1_000;
export const PIECE_MS = 120_000;
export const MAX_PIECE = 10 << 20;
const AGAIN_MS = 1_000;
const VIDEO = ['video/webm;codecs=vp8,opus', 'video/webm', 'video/mp4'];
const SOUND = ['audio/webm;codecs=opus', 'audio/webm', 'audio/mp4'];

export interface Told {
  /** Bytes on the hub's disk, of all pieces. */
  kept: (bytes: number) => void;
  fault: (why: string) => void;
}

interface Piece {
  recorder: MediaRecorder;
  upload: Upload;
  timer: number;
}

export class Recording {
  readonly #open: () => WebSocket;
  readonly #told: Told;
  #stream: MediaStream | null = null;
  #context: AudioContext | null = null;
  #piece: Piece | null = null;
  #before = 0;
  #again = 0;

  constructor(open: () => WebSocket, told: Told) {
    this.#open = open;
    this.#told = told;
  }

  get running(): boolean {
    return this.#piece !== null;
  }

  /** Begin with the caller's picture (none: sound alone) and everybody's sound mixed. */
  start(picture: MediaStreamTrack | null, sounds: readonly MediaStream[]): void {
    this.stop();
    const mixed = this.#mix(sounds);
    this.#stream = new MediaStream([...(picture ? [picture] : []), ...mixed]);
    this.#begin();
  }

  /** End the last piece; what was recorded is sent. */
  stop(): void {
    window.clearTimeout(this.#again);
    this.#finish(this.#piece);
    this.#piece = null;
    this.#stream = null;
    void this.#context?.close();
    this.#context = null;
  }

  #mix(sounds: readonly MediaStream[]): MediaStreamTrack[] {
    const heard = sounds.filter((stream) => stream.getAudioTracks().length > 0);
    if (!heard.length) return [];
    const context = (this.#context = new AudioContext());
    const out = context.createMediaStreamDestination();
    for (const stream of heard) context.createMediaStreamSource(stream).connect(out);
    return out.stream.getAudioTracks();
  }

  #begin(): void {
    const stream = this.#stream;
    if (!stream) return;
    const wanted = stream.getVideoTracks().length ? VIDEO : SOUND;
    const mimeType = wanted.find((mime) => MediaRecorder.isTypeSupported(mime));
    if (!mimeType) return this.#told.fault('this browser cannot record');
    try {
      const recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: 500_000, audioBitsPerSecond: 32_000 });
      const upload = new Upload(this.#open(), mimeType, this.#watch());
      const piece: Piece = { recorder, upload, timer: window.setTimeout(() => this.#next(piece), PIECE_MS) };
      recorder.ondataavailable = ({ data }) => {
        if (data.size) upload.add(data);
        if (upload.size > MAX_PIECE) this.#next(piece);
      };
      recorder.onstop = () => upload.end();
      recorder.onerror = () => this.#told.fault('the recorder of this browser failed');
      recorder.start(SLICE_MS);
      this.#piece = piece;
    } catch (fault) {
      this.#told.fault(String(fault));
    }
  }

  #watch(): Kept {
    let own = 0;
    return {
      kept: (bytes) => {
        this.#before += bytes - own;
        own = bytes;
        this.#told.kept(this.#before);
      },
      lost: (why) => {
        this.#told.fault(why);
        const piece = this.#piece;
        this.#piece = null;
        if (piece) this.#finish(piece);
        this.#again = window.setTimeout(() => this.#begin(), AGAIN_MS);
      },
    };
  }

  /** The new piece begins before the old one ends: nothing is said in between. */
  #next(piece: Piece): void {
    if (this.#piece !== piece) return;
    this.#begin();
    this.#finish(piece);
  }

  #finish(piece: Piece | null): void {
    if (!piece) return;
    window.clearTimeout(piece.timer);
    if (piece.recorder.state !== 'inactive') piece.recorder.stop();
  }
}
