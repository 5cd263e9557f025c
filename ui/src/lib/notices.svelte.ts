/** Short answers to what the officer did; they go by themselves, mistakes stay longer. */

import { ApiError, type Outcome } from './api';
import { prefs } from './prefs.svelte';
import { clean } from './text';

export interface Notice {
  id: number;
  good: boolean;
  text: string;
}

const MAX_NOTICES = 3;
const GOOD_MS = 2_500;
const BAD_MS = 12_000;

class Notices {
  list = $state.raw<Notice[]>([]);
  #next = 1;

  say(text: string, good = true): void {
    const id = this.#next++;
    this.list = [...this.list, { id, good, text }].slice(-MAX_NOTICES);
    setTimeout(() => this.drop(id), good ? GOOD_MS : BAD_MS);
  }

  drop(id: number): void {
    this.list = this.list.filter((notice) => notice.id !== id);
  }

  /** How an action ended, in words. */
  outcome(outcome: Outcome, action: string): void {
    if (outcome.status === 'done') this.say(prefs.t('action.done', { action }));
    else if (outcome.status === 'confirming') this.say(prefs.t('action.confirming', { action }));
    else {
      const why = outcome.error ? `${clean(outcome.error.message)} ${clean(outcome.error.hint)}`.trim() : '';
      this.say(`${prefs.known('action.status', outcome.status)} · ${action}${why ? ` — ${why}` : ''}`, false);
    }
  }

  fault(fault: unknown): void {
    this.say(faultWords(fault), false);
  }
}

/** A refusal in the reader's words, then the hub's own. */
export function faultWords(fault: unknown): string {
  if (!(fault instanceof ApiError)) return clean(String(fault));
  const own = prefs.known('error', fault.code);
  if (fault.status === 0) return own;
  const detail = [clean(fault.message), clean(fault.hint)].filter(Boolean).join(' · ');
  return detail ? `${own} — ${detail}` : own;
}

export const notices = new Notices();
