/** What each domain looks like on the map: a shape of its own, so that colour alone says nothing. */

import type { State } from '../api';
import { priorityOf, type Priority } from '../alarms';
import { flag } from '../entity';
import type { Palette } from './palette';
import type { Point } from './project';

type Draw = (ctx: CanvasRenderingContext2D, at: Point) => void;

export interface Symbol {
  draw: Draw;
  /** What is drawn later lies above. */
  rank: number;
  /** Its name is written from this scale on, pixels per metre; 0: always. */
  named: number;
}

const shape = (points: readonly (readonly [number, number])[]): Draw => (ctx, { x, y }) => {
  points.forEach(([dx, dy], index) => (index === 0 ? ctx.moveTo(x + dx, y + dy) : ctx.lineTo(x + dx, y + dy)));
  ctx.closePath();
};
const disc = (radius: number): Draw => (ctx, { x, y }) => ctx.arc(x, y, radius, 0, 2 * Math.PI);

const CAMERA = shape([[-7, -5], [3, -5], [3, -2], [8, -5], [8, 5], [3, 2], [3, 5], [-7, 5]]);
const DRONE = shape([[0, -4], [7, -10], [10, -7], [4, 0], [10, 7], [7, 10], [0, 4], [-7, 10], [-10, 7], [-4, 0], [-10, -7], [-7, -10]]);
const LAMP = shape([[0, -8], [2.2, -2.8], [7.6, -2.5], [3.4, 1], [4.8, 6.4], [0, 3.4], [-4.8, 6.4], [-3.4, 1], [-7.6, -2.5], [-2.2, -2.8]]);
const BOX = shape([[-6, -6], [6, -6], [6, 6], [1.5, 6], [1.5, 1], [-1.5, 1], [-1.5, 6], [-6, 6]]);
const LETTER = shape([[-8, -6], [8, -6], [8, 5], [2, 5], [-3, 10], [-3, 5], [-8, 5]]);
const HOUSE = shape([[0, -8], [8, -1], [6, -1], [6, 7], [-6, 7], [-6, -1], [-8, -1]]);
const FLAG = shape([[-4, -9], [8, -5], [-2, -1], [-2, 8], [-4, 8]]);
const TRACK = shape([[0, -8], [5, 7], [0, 3.5], [-5, 7]]);
const STICKER = shape([[-6, -6], [-1, -6], [-1, -1], [1, -1], [1, -6], [6, -6], [6, 6], [1, 6], [1, 1], [-1, 1], [-1, 6], [-6, 6]]);
const PLAIN = shape([[-4, -4], [4, -4], [4, 4], [-4, 4]]);

const SYMBOLS = new Map<string, Symbol>([
  ['light', { draw: LAMP, rank: 5, named: 0.9 }],
  ['sticker', { draw: STICKER, rank: 6, named: 0.9 }],
  ['checkpoint', { draw: BOX, rank: 8, named: 0.45 }],
  ['risk_spot', { draw: FLAG, rank: 8, named: 0.45 }],
  ['partner', { draw: HOUSE, rank: 9, named: 0.45 }],
  ['camera', { draw: CAMERA, rank: 10, named: 0.2 }],
  ['call', { draw: LETTER, rank: 34, named: 0 }],
  ['track', { draw: TRACK, rank: 18, named: 0 }],
  ['unit', { draw: disc(8), rank: 20, named: 0 }],
  ['drone', { draw: DRONE, rank: 30, named: 0 }],
  ['report', { draw: LETTER, rank: 35, named: 0 }],
]);
const OTHER: Symbol = { draw: PLAIN, rank: 4, named: 0.6 };

export function symbolOf(domain: string, state: State): Symbol {
  if (domain === 'incident') return { draw: (ctx, at) => priorityPath(ctx, at, 11, priorityOf(state)), rank: 40, named: 0 };
  return SYMBOLS.get(domain) ?? OTHER;
}

function priorityPath(ctx: CanvasRenderingContext2D, at: Point, r: number, priority: Priority): void {
  if (priority === 'critical') shape([[0, -r], [r, r * 0.8], [-r, r * 0.8]])(ctx, at);
  else if (priority === 'high') shape([[0, -r], [r, 0], [0, r], [-r, 0]])(ctx, at);
  else disc(r * 0.85)(ctx, at);
}

const WELL = new Set(['available', 'ok', 'visited', 'kept', 'sharing', 'done', 'active', 'online']);
const WARN = new Set(['busy', 'fault', 'missed', 'late', 'overdue', 'doubtful', 'due', 'received', 'open', 'alarm', 'failed', 'lost', 'silent']);

/** Filled with what its state means; ``null``: hollow, such as a lamp that is off. */
export function fillOf(domain: string, state: State, palette: Palette): string | null {
  if (domain === 'incident') return palette[priorityOf(state)];
  if (domain === 'drone') return palette.accent;
  if (domain === 'camera') return state.attributes['video'] === 'running' ? palette.text : palette.dim;
  if (domain === 'light') return lampFill(state, palette);
  if (WELL.has(state.state)) return palette.good;
  return WARN.has(state.state) ? palette.high : palette.info;
}

function lampFill(state: State, palette: Palette): string | null {
  if (state.state === 'on') return palette.lamp;
  return state.state === 'off' ? null : palette.high;
}

/** A line through what does not work: a lamp out of reach must not look like one that is off. */
export function isBroken(state: State): boolean {
  return state.state === 'unavailable' || state.state === 'fault' || state.attributes['available'] === false || flag(state, 'fault');
}
