/** The moving part of the map: units, cameras, drones, incidents and whatever else has a position. */

import type { State } from '../api';
import { PRIORITIES, priorityOf, type Priority } from '../alarms';
import { age } from '../dates';
import { heardAt, isSimulated, isStale, nameOf, num, positionOf, str } from '../entity';
import { isOpenCase } from '../incident';
import { domainOf } from '../text';
import { translate } from '../words';
import type { Scene } from './base';
import { Labels, type Box } from './labels';
import type { Palette } from './palette';
import type { Point } from './project';

export interface Marker {
  entity: string;
  domain: string;
  state: State;
  at: Point;
  stale: boolean;
}

export const HIT_RADIUS = 16;

// What is drawn later lies above. Alarms and hits stand where their incident stands, so only the incident is drawn.
const ORDER = ['other', 'camera', 'unit', 'drone', 'incident'];
const HIDDEN = new Set(['alarm', 'hit', 'confirmation', 'plugin']);

export function markersOf(scene: Scene, states: readonly State[], now: number): Marker[] {
  const found: Marker[] = [];
  for (const state of states) {
    const domain = domainOf(state.entity);
    if (HIDDEN.has(domain) || (domain === 'incident' && !isOpenCase(state))) continue;
    const position = positionOf(state);
    if (!position) continue;
    const at = scene.plane.pixels(position, scene.camera, scene.size);
    if (at.x < -50 || at.y < -50 || at.x > scene.size.width + 50 || at.y > scene.size.height + 50) continue;
    found.push({ entity: state.entity, domain, state, at, stale: isStale(state, now) });
  }
  return found.sort((a, b) => rank(a) - rank(b));
}

function rank({ domain, state }: Marker): number {
  const base = Math.max(0, ORDER.indexOf(domain)) * 10;
  return domain === 'incident' ? base + 9 - PRIORITIES.indexOf(priorityOf(state)) : base;
}

export function markerAt(markers: readonly Marker[], at: Point): Marker | null {
  let best: Marker | null = null;
  let nearest = HIT_RADIUS;
  for (const marker of markers) {
    const away = Math.hypot(marker.at.x - at.x, marker.at.y - at.y);
    if (away <= nearest) [best, nearest] = [marker, away];
  }
  return best;
}

export function drawMarkers(
  scene: Scene,
  markers: readonly Marker[],
  now: number,
  selected: string | null,
  taken: readonly Box[] = [],
): void {
  const { ctx, size, palette } = scene;
  ctx.clearRect(0, 0, size.width, size.height);
  const labels = new Labels(ctx, palette, size, taken);
  for (const marker of markers) labels.take(marker.at.x, marker.at.y, 9);
  for (const marker of markers) if (marker.domain === 'drone') drawCourse(scene, marker);
  for (const marker of markers) {
    ctx.globalAlpha = marker.stale ? 0.5 : 1;
    if (marker.entity === selected) ring(scene, marker.at);
    drawShape(ctx, palette, marker);
    ctx.globalAlpha = 1;
  }
  for (const marker of [...markers].reverse()) drawLabel(scene, labels, marker, now, marker.entity === selected);
}

function ring({ ctx, palette }: Scene, at: Point): void {
  ctx.beginPath();
  ctx.arc(at.x, at.y, 17, 0, 2 * Math.PI);
  ctx.lineWidth = 3;
  ctx.strokeStyle = palette.accent;
  ctx.stroke();
}

/** Where a drone is going. */
function drawCourse({ ctx, plane, camera, size, palette }: Scene, { state, at }: Marker): void {
  const [lat, lon] = [num(state, 'target_lat'), num(state, 'target_lon')];
  if (lat === null || lon === null || state.state === 'landed') return;
  const to = plane.pixels([lat, lon], camera, size);
  ctx.beginPath();
  ctx.moveTo(at.x, at.y);
  ctx.lineTo(to.x, to.y);
  ctx.setLineDash([4, 6]);
  ctx.lineWidth = 1.5;
  ctx.strokeStyle = palette.accent;
  ctx.stroke();
  ctx.setLineDash([]);
}

function drawShape(ctx: CanvasRenderingContext2D, palette: Palette, marker: Marker): void {
  const { at, domain, state, stale } = marker;
  ctx.lineWidth = 2.5;
  ctx.setLineDash(stale ? [3, 3] : []);
  ctx.strokeStyle = palette.halo;
  ctx.beginPath();
  if (domain === 'incident') {
    priorityPath(ctx, at, 11, priorityOf(state));
    ctx.fillStyle = palette[priorityOf(state)];
  } else if (domain === 'unit') {
    ctx.arc(at.x, at.y, 8, 0, 2 * Math.PI);
    ctx.fillStyle = state.state === 'available' ? palette.good : state.state === 'busy' ? palette.high : palette.info;
  } else if (domain === 'drone') {
    dronePath(ctx, at);
    ctx.fillStyle = palette.accent;
  } else if (domain === 'camera') {
    cameraPath(ctx, at);
    ctx.fillStyle = state.attributes['video'] === 'running' ? palette.text : palette.dim;
  } else {
    ctx.arc(at.x, at.y, 5, 0, 2 * Math.PI);
    ctx.fillStyle = palette.dim;
  }
  ctx.fill();
  if (stale) ctx.strokeStyle = palette.text;
  ctx.stroke();
  ctx.setLineDash([]);
}

function priorityPath(ctx: CanvasRenderingContext2D, { x, y }: Point, r: number, priority: Priority): void {
  if (priority === 'critical') polygon(ctx, [[x, y - r], [x + r, y + r * 0.8], [x - r, y + r * 0.8]]);
  else if (priority === 'high') polygon(ctx, [[x, y - r], [x + r, y], [x, y + r], [x - r, y]]);
  else ctx.arc(x, y, r * 0.85, 0, 2 * Math.PI);
}

function cameraPath(ctx: CanvasRenderingContext2D, { x, y }: Point): void {
  polygon(ctx, [[x - 7, y - 5], [x + 3, y - 5], [x + 3, y - 2], [x + 8, y - 5], [x + 8, y + 5], [x + 3, y + 2], [x + 3, y + 5], [x - 7, y + 5]]);
}

function dronePath(ctx: CanvasRenderingContext2D, { x, y }: Point): void {
  polygon(ctx, [[x, y - 4], [x + 7, y - 10], [x + 10, y - 7], [x + 4, y], [x + 10, y + 7], [x + 7, y + 10], [x, y + 4], [x - 7, y + 10], [x - 10, y + 7], [x - 4, y], [x - 10, y - 7], [x - 7, y - 10]]);
}

function polygon(ctx: CanvasRenderingContext2D, points: readonly (readonly [number, number])[]): void {
  points.forEach(([x, y], index) => (index === 0 ? ctx.moveTo(x, y) : ctx.lineTo(x, y)));
  ctx.closePath();
}

function drawLabel(scene: Scene, labels: Labels, marker: Marker, now: number, selected: boolean): void {
  const { palette, lang } = scene;
  const { domain, at } = marker;
  const force = selected || domain === 'incident' || domain === 'drone';
  const colour = marker.stale ? palette.dim : palette.text;
  labels.write(labelOf(marker, now, lang), at.x, at.y, 13, { px: domain === 'camera' ? 12 : 13, colour, bold: domain !== 'camera', force });
}

function labelOf(marker: Marker, now: number, lang: Scene['lang']): string {
  const words = said(marker, now, lang);
  return isSimulated(marker.state) ? `${words} · ${translate(lang, 'app.simulated')}` : words;
}

function said({ domain, state, stale }: Marker, now: number, lang: Scene['lang']): string {
  if (domain === 'incident') return str(state, 'reference', 30) || nameOf(state, lang);
  const name = nameOf(state, lang);
  const short = name.length > 24 ? `${name.slice(0, 23)}…` : name;
  if (domain !== 'unit' && domain !== 'drone') return stale ? `${short} · ${translate(lang, 'app.stale')}` : short;
  return `${short} · ${age(now - heardAt(state), lang)}`;
}
