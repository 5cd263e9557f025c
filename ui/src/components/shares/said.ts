/** Receivers, hours and purposes in the reader's words. */

import { live } from '../../lib/live.svelte';
import { prefs } from '../../lib/prefs.svelte';
import { clean } from '../../lib/text';

export function receiver(who: string): string {
  const [kind, name = ''] = [who.slice(0, who.indexOf(':')), who.slice(who.indexOf(':') + 1)];
  return kind === 'role' ? prefs.known('role', name) : clean(name, 60);
}

export function window_(hours: readonly [string, string] | null): string {
  return hours ? `${hours[0]}–${hours[1]}${hours[0] > hours[1] ? ` (${prefs.t('shares.overMidnight')})` : ''}` : prefs.t('shares.allDay');
}

export function why(purpose: string | null): string {
  if (!purpose) return '–';
  const [kind, id = ''] = purpose.split('.');
  if (kind === 'duty') return prefs.known('purpose', id);
  const reference = live.get(purpose)?.attributes['reference'];
  return prefs.t('purpose.incident', { reference: typeof reference === 'string' ? clean(reference, 20) : clean(id, 20) });
}
