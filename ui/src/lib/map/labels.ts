/** Words on the map: with a halo, and only where they do not cover each other. */

import type { Palette } from './palette';
import type { Size } from './project';

export const FONT = "'IBM Plex Sans Thai', sans-serif";

export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

export class Labels {
  readonly taken: Box[] = [];
  readonly #below: readonly Box[];
  readonly #ctx: CanvasRenderingContext2D;
  readonly #palette: Palette;
  readonly #size: Size;

  /** ``taken``: where words stand on the canvas below; they give way to bold ones. */
  constructor(ctx: CanvasRenderingContext2D, palette: Palette, size: Size, taken: readonly Box[] = []) {
    this.#ctx = ctx;
    this.#palette = palette;
    this.#size = size;
    this.#below = taken;
  }

  /** Keep a place free, such as that of a marker. */
  take(x: number, y: number, radius: number): void {
    this.taken.push({ x: x - radius, y: y - radius, w: 2 * radius, h: 2 * radius });
  }

  /** Write beside (x, y); false when there is no room at any of the sides. ``force``: write all the same. */
  write(text: string, x: number, y: number, gap: number, style: { px: number; colour: string; bold?: boolean; force?: boolean }): boolean {
    if (!text) return false;
    const ctx = this.#ctx;
    ctx.font = `${style.bold ? 600 : 400} ${style.px}px ${FONT}`;
    const w = ctx.measureText(text).width + 4;
    const h = style.px * 1.5;
    const sides: Box[] = [
      { x: x + gap, y: y - h / 2, w, h },
      { x: x - gap - w, y: y - h / 2, w, h },
      { x: x - w / 2, y: y + gap, w, h },
      { x: x - w / 2, y: y - gap - h, w, h },
    ];
    if (gap === 0) sides.unshift({ x: x - w / 2, y: y - h / 2, w, h });
    const inside = sides.filter((box) => box.x >= 0 && box.y >= 0 && box.x + w <= this.#size.width && box.y + h <= this.#size.height);
    const open = inside.filter((box) => !this.taken.some((other) => overlaps(box, other)));
    const clear = open.find((box) => !this.#below.some((other) => overlaps(box, other)));
    const free = clear ?? (style.bold ? open[0] : undefined);
    const box = free ?? (style.force ? (inside[0] ?? sides[0]!) : null);
    if (!box) return false;
    this.taken.push(box);
    this.#paint(text, box.x + 2, box.y + h / 2, style.colour);
    return true;
  }

  #paint(text: string, x: number, y: number, colour: string): void {
    const ctx = this.#ctx;
    ctx.textAlign = 'left';
    ctx.textBaseline = 'middle';
    ctx.lineJoin = 'round';
    ctx.lineWidth = 4;
    ctx.strokeStyle = this.#palette.halo;
    ctx.strokeText(text, x, y);
    ctx.fillStyle = colour;
    ctx.fillText(text, x, y);
  }
}

function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
