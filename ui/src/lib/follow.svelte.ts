/** The newest events of one type, as they come: first what the journal has, then the stream. For use in a component. */

import type { HubEvent } from './api';
import { app } from './app.svelte';
import { live } from './live.svelte';

export function followEvents(type: () => string | null, kept: number): { readonly events: readonly HubEvent[]; readonly wrong: unknown } {
  let events = $state.raw<HubEvent[]>([]);
  let wrong = $state.raw<unknown>(null);
  const wanted = $derived(type());

  $effect(() => {
    const name = wanted;
    let left = false;
    let bySeq = new Map<number, HubEvent>();
    const add = (found: readonly HubEvent[]): void => {
      if (left) return;
      bySeq = new Map([...bySeq, ...found.map((event): [number, HubEvent] => [event.seq, event])]);
      events = [...bySeq.values()].sort((a, b) => a.seq - b.seq).slice(-kept);
      if (bySeq.size > 2 * kept) bySeq = new Map(events.map((event) => [event.seq, event]));
    };
    if (!name) return;
    app.api.events({ type: name, limit: kept, newest: 1 }).then(add, (fault: unknown) => (wrong = fault));
    const stop = live.store.listen(({ changes }) => {
      const fresh = changes.filter(({ event }) => event.type === name).map(({ event }) => event);
      if (fresh.length > 0) add(fresh);
    });
    return () => {
      left = true;
      stop();
    };
  });

  return {
    get events() {
      return events;
    },
    get wrong() {
      return wrong;
    },
  };
}
