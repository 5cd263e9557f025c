/** The terms in a form's fields. */

import { localToSeconds } from '../../lib/dates';
import { SPANS, type Terms } from '../../lib/shares';
import type { Draft } from './TermsFields.svelte';

/** ``now``: the hub's clock; the end is one minute in the past when the form says none, so that the hub refuses it. */
export function termsOf(draft: Draft, now: number, zone: string): Terms {
  const begins = localToSeconds(draft.since, zone) ?? now;
  const chosen = draft.span === 'other' ? localToSeconds(draft.until, zone) : begins + (SPANS[draft.span] ?? 0);
  const accounts = draft.accounts.split(',').map((name) => name.trim()).filter(Boolean);
  return {
    cameras: draft.cameras,
    kinds: draft.kinds,
    to: [...draft.roles.map((role) => `role:${role}`), ...accounts.map((name) => `user:${name}`)],
    until: chosen ?? now - 60,
    hours: draft.limited ? [draft.begin, draft.end] : null,
    purpose: draft.purpose.trim() || null,
  };
}
