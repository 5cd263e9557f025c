/** From latitude and longitude to pixels: a flat map around the zone's middle, good to centimetres over a town. */

import type { LatLon } from '../api';

export interface Camera {
  /** The middle of the screen, metres east and north of the origin. */
  x: number;
  y: number;
  /** Pixels per metre. */
  scale: number;
}

export interface Size {
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

export const MIN_SCALE = 0.02;
export const MAX_SCALE = 8;
const METRES_PER_DEGREE = 111_195;

export class Plane {
  readonly #lat: number;
  readonly #lon: number;
  readonly #east: number;

  constructor(origin: LatLon) {
    [this.#lat, this.#lon] = origin;
    this.#east = METRES_PER_DEGREE * Math.cos((this.#lat * Math.PI) / 180);
  }

  /** Metres east and north of the origin. */
  metres([lat, lon]: LatLon): Point {
    return { x: (lon - this.#lon) * this.#east, y: (lat - this.#lat) * METRES_PER_DEGREE };
  }

  /** Pixels from the upper left corner. */
  pixels(at: LatLon, camera: Camera, size: Size): Point {
    const { x, y } = this.metres(at);
    return { x: size.width / 2 + (x - camera.x) * camera.scale, y: size.height / 2 - (y - camera.y) * camera.scale };
  }

  /** The view that holds all points with a margin. */
  fit(points: readonly LatLon[], size: Size, margin = 36): Camera {
    if (points.length === 0 || size.width < 1 || size.height < 1) return { x: 0, y: 0, scale: 0.5 };
    const flat = points.map((point) => this.metres(point));
    const xs = flat.map((point) => point.x);
    const ys = flat.map((point) => point.y);
    const [left, right] = [Math.min(...xs), Math.max(...xs)];
    const [low, high] = [Math.min(...ys), Math.max(...ys)];
    const scale = Math.min(
      Math.max(1, size.width - 2 * margin) / Math.max(1, right - left),
      Math.max(1, size.height - 2 * margin) / Math.max(1, high - low),
    );
    return { x: (left + right) / 2, y: (low + high) / 2, scale: limit(scale) };
  }
}

export function pan(camera: Camera, dx: number, dy: number): Camera {
  return { ...camera, x: camera.x - dx / camera.scale, y: camera.y + dy / camera.scale };
}

/** Zoom so that the point under the finger stays where it is. */
export function zoomAt(camera: Camera, factor: number, at: Point, size: Size): Camera {
  const scale = limit(camera.scale * factor);
  const east = at.x - size.width / 2;
  const south = at.y - size.height / 2;
  return {
    x: camera.x + east / camera.scale - east / scale,
    y: camera.y - south / camera.scale + south / scale,
    scale,
  };
}

function limit(scale: number): number {
  return Math.min(MAX_SCALE, Math.max(MIN_SCALE, scale));
}
