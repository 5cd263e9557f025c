import type { HubEvent, State } from '../src/lib/api';
import type { Change, Timers } from '../src/lib/stream';

/** Time that passes only when a test says so. */
export class ManualTimers implements Timers {
  now = 0;
  #next = 1;
  readonly #waiting = new Map<number, { at: number; call: () => void }>();

  set(call: () => void, ms: number): number {
    const id = this.#next++;
    this.#waiting.set(id, { at: this.now + ms, call });
    return id;
  }

  clear(id: number): void {
    this.#waiting.delete(id);
  }

  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const due = [...this.#waiting].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.#waiting.delete(due[0]);
      this.now = due[1].at;
      due[1].call();
    }
    this.now = end;
  }
}

export function state(entity: string, value: string, attributes: Record<string, unknown> = {}, seq = 1, updated = 1000): State {
  return { entity, state: value, attributes, changed: updated, updated, seq };
}

export function event(seq: number, type: string, entity: string | null, data: Record<string, unknown> = {}): HubEvent {
  return { seq, id: `e${seq}`, type, at: seq, received: seq, entity, source: 'instance:x', data, cause: null, depth: 0, version: 1 };
}

export function change(seq: number, entity: string, value: string, attributes: Record<string, unknown> = {}): Change {
  return { event: event(seq, 'state_changed', entity), state: state(entity, value, attributes, seq), removed: false };
}

/** What strangers may call things. */
export const HOSTILE = {
  markup: '<img src=x onerror="alert(1)"><script>alert(2)</script>',
  long: 'ก'.repeat(10_000),
  backwards: 'safe\u202Egnp.exe\u2066\u200F',
  pile: `ก${'\u0E49'.repeat(500)}Z${'\u0301'.repeat(500)}`,
  control: 'a\u0000b\u001b[31mc\u200b',
} as const;
