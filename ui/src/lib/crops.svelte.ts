/** The newest plate picture of each camera, from the plate reads that went by; the state itself does not keep it. */

import { live } from './live.svelte';

export interface LastCrop {
  media: string;
  at: number;
}

const MAX_KEPT = 500;

class LastCrops {
  #crops = $state.raw<ReadonlyMap<string, LastCrop>>(new Map());

  constructor() {
    live.store.listen(({ changes }) => {
      let next: Map<string, LastCrop> | null = null;
      for (const { event } of changes) {
        const media = event.data['crop'];
        if (event.type !== 'plate_read' || !event.entity || typeof media !== 'string') continue;
        next ??= new Map(this.#crops);
        next.delete(event.entity);
        next.set(event.entity, { media, at: event.at });
        if (next.size > MAX_KEPT) next.delete(next.keys().next().value!);
      }
      if (next) this.#crops = next;
    });
  }

  of(camera: string): LastCrop | undefined {
    return this.#crops.get(camera);
  }
}

export const lastCrops = new LastCrops();
