/** The moving part of the map: units, cameras, drones, incidents and whatever else has a position. */

import type { State } from '../api';
import { PRIORITIES, priorityOf } from '../alarms';
import { age } from '../dates';
import { heardAt, isSimulated, isStale, nameOf, num, positionOf, str } from '../entity';
import { sosOf, sosPosition } from '../sos';
import { isOpenCase } from '../incident';
import { domainOf } from '../text';
import { translate } from '../words';
import type { Scene } from './base';
import { Labels, type Box } from './labels';
import type { Point } from './project';
import { fillOf, isBroken, symbolOf } from './symbols';

export interface Marker {
  entity: string;
  domain: string;
  state: State;
  at: Point;
  stale: boolean;
}

export const HIT_RADIUS = 16;

// Alarms and hits stand where their incident stands, so only the incident is drawn.
const HIDDEN = new Set(['alarm', 'hit', 'confirmation', 'plugin']);

/** Does it stand on the map at all? Closed cases and merged reports do not. */
export function isPlaced(state: State): boolean {
  const domain = domainOf(state.entity);
  if (HIDDEN.has(domain) || (domain === 'incident' && !isOpenCase(state))) return false;
  return domain !== 'report' || (state.state !== 'closed' && !str(state, 'merged_into'));
}

export function markersOf(scene: Scene, states: readonly State[], now: number): Marker[] {
  const found: Marker[] = [];
  for (const state of states) {
    const domain = domainOf(state.entity);
    if (!isPlaced(state)) continue;
    const position = positionOf(state) ?? sosPosition(state);
    if (!position) continue;
    const at = scene.plane.pixels(position, scene.camera, scene.size);
    if (at.x < -50 || at.y < -50 || at.x > scene.size.width + 50 || at.y > scene.size.height + 50) continue;
    found.push({ entity: state.entity, domain, state, at, stale: isStale(state, now) });
  }
  return found.sort((a, b) => rank(a) - rank(b));
}

function rank({ domain, state }: Marker): number {
  if (sosOf(state)) return 100;
  const { rank: base } = symbolOf(domain, state);
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
    drawShape(scene, marker);
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

function drawShape({ ctx, palette }: Scene, { at, domain, state, stale }: Marker): void {
  if (sosOf(state)) drawSos(ctx, palette.critical, palette.halo, at);
  const fill = fillOf(domain, state, palette);
  ctx.lineWidth = 2.5;
  ctx.setLineDash(stale ? [3, 3] : []);
  ctx.strokeStyle = palette.halo;
  ctx.beginPath();
  symbolOf(domain, state).draw(ctx, at);
  ctx.fillStyle = fill ?? palette.zone;
  ctx.fill();
  if (stale || fill === null) ctx.strokeStyle = stale ? palette.text : palette.dim;
  ctx.stroke();
  ctx.setLineDash([]);
  if (isBroken(state)) strike(ctx, palette.high, at);
}

/** Rings that nothing else on the map has. */
function drawSos(ctx: CanvasRenderingContext2D, colour: string, halo: string, at: Point): void {
  for (const [radius, width, stroke] of [[24, 9, halo], [24, 5, colour], [15, 7, halo], [15, 4, colour]] as const) {
    ctx.beginPath();
    ctx.arc(at.x, at.y, radius, 0, 2 * Math.PI);
    ctx.lineWidth = width;
    ctx.strokeStyle = stroke;
    ctx.stroke();
  }
}

function strike(ctx: CanvasRenderingContext2D, colour: string, { x, y }: Point): void {
  ctx.beginPath();
  ctx.moveTo(x - 8, y + 8);
  ctx.lineTo(x + 8, y - 8);
  ctx.lineWidth = 2.5;
  ctx.strokeStyle = colour;
  ctx.stroke();
}

function drawLabel(scene: Scene, labels: Labels, marker: Marker, now: number, selected: boolean): void {
  const { palette, lang } = scene;
  const { domain, at, state } = marker;
  const sos = sosOf(state) !== null;
  const { named, rank: level } = symbolOf(domain, state);
  if (!selected && !sos && scene.camera.scale < named) return;
  const force = selected || sos || domain === 'incident' || domain === 'drone';
  const colour = sos ? palette.critical : marker.stale ? palette.dim : palette.text;
  const minor = level <= 10;
  labels.write(labelOf(marker, now, lang), at.x, at.y, sos ? 30 : 13, { px: sos ? 16 : minor ? 12 : 13, colour, bold: !minor, force });
}

function labelOf(marker: Marker, now: number, lang: Scene['lang']): string {
  const words = said(marker, now, lang);
  const sos = sosOf(marker.state) ? `▲ ${translate(lang, 'sos.word')} · ${words}` : words;
  return isSimulated(marker.state) ? `${sos} · ${translate(lang, 'app.simulated')}` : sos;
}

function said({ domain, state, stale }: Marker, now: number, lang: Scene['lang']): string {
  if (domain === 'incident') return str(state, 'reference', 30) || nameOf(state, lang);
  if (domain === 'report') return str(state, 'receipt', 12) || nameOf(state, lang);
  const name = domain === 'track' ? str(state, 'callsign', 24) || nameOf(state, lang) : nameOf(state, lang);
  const short = name.length > 24 ? `${name.slice(0, 23)}…` : name;
  if (domain !== 'unit' && domain !== 'drone' && domain !== 'track') return stale ? `${short} · ${translate(lang, 'app.stale')}` : short;
  return `${short} · ${age(now - heardAt(state), lang)}`;
}
