/** Calls of automations that wait for their next try, and those that were given up. */

import type { Api, HubError, Outcome, Words } from './api';

export interface OutboxEntry {
  key: string;
  state: 'waiting' | 'dead';
  action: string;
  title: Words | null;
  /** What sending it again needs; null when nothing declares the action now. */
  right: string | null;
  target: string | null;
  tries: number;
  at: number;
  error: HubError | null;
  whole: boolean;
}

export interface Outbox {
  waiting: number;
  dead: number;
  entries: OutboxEntry[];
}

/** Without parameters: nobody's data are looked at. */
export function readOutbox(api: Api): Promise<Outbox> {
  return api.request('GET', '/api/outbox?params=0');
}

export function sendAgain(api: Api, key: string): Promise<Outcome> {
  return api.request('POST', `/api/outbox/${encodeURIComponent(key)}/retry`, undefined, 130_000);
}
