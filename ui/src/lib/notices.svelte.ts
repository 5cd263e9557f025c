/** Short answers to what the officer did; they go by themselves, mistakes stay longer. */

import { ApiError, type Outcome } from './api';
import { prefs } from './prefs.svelte';
import { clean } from './text';

export interface Notice {
  id: number;
  good: boolean;
  text: string;
  /** The hub's own words, mostly English, smaller beneath. */
  detail: string;
}

const MAX_NOTICES = 3;
const GOOD_MS = 2_500;
const BAD_MS = 12_000;

class Notices {
  list = $state.raw<Notice[]>([]);
  #next = 1;

  say(text: string, good = true, detail = ''): void {
    const id = this.#next++;
    this.list = [...this.list, { id, good, text, detail }].slice(-MAX_NOTICES);
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
      const { error } = outcome;
      const head = `${prefs.known('action.status', outcome.status)} · ${action}`;
      const own = error ? prefs.known('error', error.code) : '';
      this.say(own && error?.code !== outcome.status ? `${head} — ${own}` : head, false, error ? detailOf(error) : '');
    }
  }

  /** ``what``: what was being done. */
  fault(fault: unknown, what = ''): void {
    const { head, detail } = refusal(fault);
    this.say(what ? `${what} — ${head}` : head, false, detail);
  }
}

function detailOf(error: { message: string; hint: string }): string {
  return [clean(error.message), clean(error.hint)].filter(Boolean).join(' · ');
}

/** A refusal in the reader's words, and the hub's own. */
export function refusal(fault: unknown): { head: string; detail: string } {
  if (!(fault instanceof ApiError)) return { head: prefs.t('error.error'), detail: clean(String(fault)) };
  return { head: prefs.known('error', fault.code), detail: fault.status === 0 ? '' : detailOf(fault) };
}

/** Both in one line. */
export function faultWords(fault: unknown): string {
  const { head, detail } = refusal(fault);
  return detail ? `${head} — ${detail}` : head;
}

export const notices = new Notices();
