/** Fingers and mouse on the map: one moves, two zoom, a short press chooses. */

import type { Point } from './project';

export interface GestureTarget {
  pan(dx: number, dy: number): void;
  zoom(factor: number, at: Point): void;
  tap(at: Point): void;
}

const TAP_PIXELS = 6;

export class Gesture {
  readonly #pointers = new Map<number, Point>();
  readonly #target: GestureTarget;
  #travelled = 0;

  constructor(target: GestureTarget) {
    this.#target = target;
  }

  down(event: PointerEvent): void {
    if (event.button !== 0) return;
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, at(event));
    this.#travelled = this.#pointers.size > 1 ? Infinity : 0;
  }

  move(event: PointerEvent): void {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const now = at(event);
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.#pointers.set(event.pointerId, now);
    if (other) {
      const factor = apart(now, other) / Math.max(1, apart(before, other));
      this.#target.zoom(factor, { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
      return;
    }
    this.#travelled += apart(before, now);
    if (this.#travelled > TAP_PIXELS) this.#target.pan(now.x - before.x, now.y - before.y);
  }

  up(event: PointerEvent): void {
    const pressed = this.#pointers.delete(event.pointerId);
    if (pressed && event.type === 'pointerup' && this.#travelled <= TAP_PIXELS) this.#target.tap(at(event));
  }
}

function at(event: PointerEvent): Point {
  return { x: event.offsetX, y: event.offsetY };
}

function apart(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
