/** Colours of the map, taken from the page's style sheet so that day and night stand in one place. */

export interface Palette {
  ground: string;
  zone: string;
  border: string;
  area: string;
  text: string;
  dim: string;
  halo: string;
  critical: string;
  high: string;
  normal: string;
  info: string;
  accent: string;
  good: string;
  lamp: string;
}

const NAMES: Record<keyof Palette, string> = {
  ground: '--map-ground', zone: '--map-zone', border: '--map-border', area: '--map-area', text: '--text', dim: '--dim',
  halo: '--map-halo', critical: '--critical', high: '--high', normal: '--normal', info: '--info', accent: '--accent',
  good: '--good', lamp: '--lamp',
};

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const pairs = Object.entries(NAMES).map(([key, name]) => [key, style.getPropertyValue(name).trim() || '#888']);
  return Object.fromEntries(pairs) as Palette;
}
