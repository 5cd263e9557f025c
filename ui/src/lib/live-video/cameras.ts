/** Which cameras stand on the page, in which order, and what is said of them. */

import type { State } from '../api';
import { byName, capabilities } from '../entity';
import type { Lang } from '../text';

export const GRIDS = [1, 4, 9, 16] as const;
export type Grid = (typeof GRIDS)[number];

export function isGrid(value: number): value is Grid {
  return (GRIDS as readonly number[]).includes(value);
}

/** Cameras by name, the chosen ones first in the order of choice. */
export function ordered(cameras: readonly State[], chosen: readonly string[], lang: Lang): State[] {
  const rank = new Map(chosen.map((entity, i) => [entity, i]));
  const place = (state: State): number => rank.get(state.entity) ?? chosen.length;
  return cameras.toSorted((a, b) => place(a) - place(b) || byName(lang)(a, b));
}

export function pagesOf(count: number, grid: Grid): number {
  return Math.max(1, Math.ceil(count / grid));
}

export function hasPtz(camera: State): boolean {
  return capabilities(camera).includes('ptz');
}

/** ``camera.a`` of ``/cameras/a`` or ``/cameras/camera.a``. */
export function entityOf(part: string | undefined): string | null {
  if (!part) return null;
  return part.includes('.') ? part : `camera.${part}`;
}

export function addressOf(entity: string): string {
  return `/cameras/${encodeURIComponent(entity.replace(/^camera\./, ''))}`;
}
