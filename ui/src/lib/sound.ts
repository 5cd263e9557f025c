/** Alarm sounds: a pattern per priority, repeated until no alarm of that priority is unacknowledged. */

import type { Priority } from './alarms';
import type { Timers } from './stream';

export interface Tone {
  /** Hertz. */
  pitch: number;
  /** Seconds from the start of the pattern, and how long. */
  at: number;
  length: number;
}

export type SoundingPriority = Exclude<Priority, 'info'>;

/** Told apart with closed eyes: three rising pairs, two notes, one soft note. */
export const PATTERNS: Record<SoundingPriority, Tone[]> = {
  critical: [0, 0.36, 0.72].flatMap((at) => [
    { pitch: 880, at, length: 0.15 },
    { pitch: 1175, at: at + 0.16, length: 0.15 },
  ]),
  high: [
    { pitch: 740, at: 0, length: 0.2 },
    { pitch: 587, at: 0.25, length: 0.25 },
  ],
  normal: [{ pitch: 523, at: 0, length: 0.25 }],
};

export const REPEAT_MS: Record<SoundingPriority, number> = { critical: 2_500, high: 6_000, normal: 20_000 };

/** Decides when to play. The highest unacknowledged priority sounds; a higher one interrupts at once. */
export class Siren {
  #now: SoundingPriority | null = null;
  #timer: number | null = null;
  readonly #play: (priority: SoundingPriority) => void;
  readonly #timers: Timers;

  constructor(play: (priority: SoundingPriority) => void, timers: Timers) {
    this.#play = play;
    this.#timers = timers;
  }

  get sounding(): SoundingPriority | null {
    return this.#now;
  }

  update(priority: Priority | null): void {
    const next = priority === 'info' ? null : priority;
    if (next === this.#now) return;
    this.#now = next;
    if (this.#timer !== null) this.#timers.clear(this.#timer);
    this.#timer = null;
    this.#sound();
  }

  #sound(): void {
    if (this.#now === null) return;
    this.#play(this.#now);
    this.#timer = this.#timers.set(() => this.#sound(), REPEAT_MS[this.#now]);
  }
}

/** The browser's loudspeaker. Silent until a person has pressed something: the sound test unlocks it. */
export class Speaker {
  #context: AudioContext | null = null;

  get ready(): boolean {
    return this.#context?.state === 'running';
  }

  /** To be called from a press or a key; false when the browser gives no sound. */
  async unlock(): Promise<boolean> {
    try {
      this.#context ??= new AudioContext();
      await this.#context.resume();
    } catch {
      return false;
    }
    return this.ready;
  }

  play(priority: SoundingPriority): void {
    const context = this.#context;
    if (!context || context.state !== 'running') return;
    for (const tone of PATTERNS[priority]) this.#note(context, tone);
  }

  #note(context: AudioContext, tone: Tone): void {
    const begin = context.currentTime + 0.02 + tone.at;
    const voice = context.createOscillator();
    const gain = context.createGain();
    voice.type = 'triangle';
    voice.frequency.value = tone.pitch;
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(0.5, begin + 0.02);
    gain.gain.linearRampToValueAtTime(0, begin + tone.length);
    voice.connect(gain).connect(context.destination);
    voice.start(begin);
    voice.stop(begin + tone.length + 0.02);
  }
}
