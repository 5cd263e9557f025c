/** The still part of the map: border, communities, places, scale bar. Drawn anew only when the view changes. */

import type { LatLon, Zone } from '../api';
import { distance } from '../entity';
import { words, type Lang } from '../text';
import { known } from '../words';
import { Labels, FONT, type Box } from './labels';
import type { Palette } from './palette';
import type { Camera, Plane, Size } from './project';

export interface Scene {
  ctx: CanvasRenderingContext2D;
  plane: Plane;
  camera: Camera;
  size: Size;
  palette: Palette;
  lang: Lang;
}

/** Draws it and tells where its words stand. */
export function drawBase(scene: Scene, zone: Zone | null): Box[] {
  const { ctx, size, palette } = scene;
  ctx.fillStyle = palette.ground;
  ctx.fillRect(0, 0, size.width, size.height);
  if (!zone) return [];
  const labels = new Labels(ctx, palette, size);
  drawBorder(scene, zone.border ?? []);
  for (const area of zone.areas ?? []) drawOutline(scene, area.polygon ?? []);
  for (const area of zone.areas ?? []) {
    const middle = centroid(area.polygon ?? []);
    if (!middle) continue;
    const at = scene.plane.pixels(middle, scene.camera, size);
    labels.write(words(area.name, scene.lang, 40), at.x, at.y, 0, { px: 14, colour: palette.dim, bold: true });
  }
  drawPlaces(scene, zone, labels);
  drawScaleBar(scene);
  return labels.taken;
}

function trace({ ctx, plane, camera, size }: Scene, ring: readonly LatLon[]): void {
  ctx.beginPath();
  ring.forEach((point, index) => {
    const { x, y } = plane.pixels(point, camera, size);
    if (index === 0) ctx.moveTo(x, y);
    else ctx.lineTo(x, y);
  });
  ctx.closePath();
}

function drawBorder(scene: Scene, border: readonly LatLon[]): void {
  if (border.length < 3) return;
  const { ctx, palette } = scene;
  trace(scene, border);
  ctx.fillStyle = palette.zone;
  ctx.fill();
  ctx.lineJoin = 'round';
  ctx.lineWidth = 2.5;
  ctx.strokeStyle = palette.border;
  ctx.stroke();
}

function drawOutline(scene: Scene, ring: readonly LatLon[]): void {
  if (ring.length < 3) return;
  const { ctx, palette } = scene;
  trace(scene, ring);
  ctx.lineWidth = 1;
  ctx.setLineDash([6, 4]);
  ctx.strokeStyle = palette.area;
  ctx.stroke();
  ctx.setLineDash([]);
}

const PLACE_RADIUS = 4;
const NAMES_FROM_SCALE = 0.12;

function drawPlaces(scene: Scene, zone: Zone, labels: Labels): void {
  const { ctx, plane, camera, size, palette, lang } = scene;
  const places = (zone.places ?? []).map((place) => ({ place, at: plane.pixels([place.lat, place.lon], camera, size) }));
  for (const { at } of places) labels.take(at.x, at.y, PLACE_RADIUS + 1);
  for (const { place, at } of places) {
    ctx.beginPath();
    ctx.rect(at.x - PLACE_RADIUS, at.y - PLACE_RADIUS, 2 * PLACE_RADIUS, 2 * PLACE_RADIUS);
    ctx.fillStyle = palette.halo;
    ctx.fill();
    ctx.lineWidth = 1.5;
    ctx.strokeStyle = palette.dim;
    ctx.stroke();
    if (camera.scale < NAMES_FROM_SCALE) continue;
    const name = words(place.name, lang, 40) || known(lang, 'place', place.kind);
    labels.write(name, at.x, at.y, PLACE_RADIUS + 3, { px: 12, colour: palette.dim });
  }
}

const BAR_METRES = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

function drawScaleBar({ ctx, camera, size, palette, lang }: Scene): void {
  const metres = BAR_METRES.find((m) => m * camera.scale >= 60) ?? BAR_METRES.at(-1)!;
  const length = metres * camera.scale;
  const [x, y] = [12, size.height - 14];
  ctx.strokeStyle = palette.dim;
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.moveTo(x, y - 5);
  ctx.lineTo(x, y);
  ctx.lineTo(x + length, y);
  ctx.lineTo(x + length, y - 5);
  ctx.stroke();
  ctx.font = `400 12px ${FONT}`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  ctx.fillStyle = palette.dim;
  ctx.fillText(distance(metres, lang), x + length + 6, y - 3);
}

/** The middle of a polygon's area; the mean of its corners when it has none. */
export function centroid(ring: readonly LatLon[]): LatLon | null {
  if (ring.length === 0) return null;
  let [area, lat, lon] = [0, 0, 0];
  ring.forEach(([y0, x0], index) => {
    const [y1, x1] = ring[(index + 1) % ring.length]!;
    const cross = x0 * y1 - x1 * y0;
    area += cross;
    lat += (y0 + y1) * cross;
    lon += (x0 + x1) * cross;
  });
  if (Math.abs(area) < 1e-12) {
    const sum = ring.reduce<LatLon>(([a, b], [y, x]) => [a + y, b + x], [0, 0]);
    return [sum[0] / ring.length, sum[1] / ring.length];
  }
  return [lat / (3 * area), lon / (3 * area)];
}
