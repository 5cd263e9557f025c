/** Reports of every door: their order, what waits for an answer, and their conversation. */

import { PRIORITIES, priorityOf } from './alarms';
import type { State } from './api';
import { num, str } from './entity';
import { clean } from './text';

/** Doors by shape as well as by word. */
export const CHANNEL_SHAPES = new Map([['qr', '▦'], ['line', '◉'], ['ilertu', '▣'], ['phone', '☏'], ['sos', '▲'], ['form', '▤']]);

export function channelShape(channel: string): string {
  return CHANNEL_SHAPES.get(channel) ?? '◇';
}

export function receivedAt(report: State): number {
  return num(report, 'received_at') ?? report.changed;
}

export function isMerged(report: State): boolean {
  return str(report, 'merged_into') !== '';
}

/** Closed or merged ones need nobody any more. */
export function isDone(report: State): boolean {
  return report.state === 'closed' || isMerged(report);
}

/** Has nobody taken it, or did the reporter say something that nobody has answered? */
export function isWaiting(report: State): boolean {
  if (isDone(report)) return false;
  if (report.state === 'received') return true;
  const last = messagesOf(report).at(-1);
  return last !== undefined && last.by === 'reporter' && last.at > receivedAt(report) + 1;
}

/** What waits first, then by priority, then the oldest: that reporter has waited longest; what is done last, newest first. */
export function compareReports(a: State, b: State): number {
  if (isDone(a) !== isDone(b)) return Number(isDone(a)) - Number(isDone(b));
  if (isDone(a)) return receivedAt(b) - receivedAt(a) || (a.entity < b.entity ? -1 : 1);
  return (
    Number(isWaiting(b)) - Number(isWaiting(a)) ||
    PRIORITIES.indexOf(priorityOf(a)) - PRIORITIES.indexOf(priorityOf(b)) ||
    receivedAt(a) - receivedAt(b) ||
    (a.entity < b.entity ? -1 : 1)
  );
}

export interface Message {
  at: number;
  by: string;
  text: string;
  media: string[];
}

const MAX_TEXT = 4_000;

/** The conversation, oldest first; before anybody said more, what the report itself says. */
export function messagesOf(report: State): Message[] {
  const rows = report.attributes['messages'];
  if (!Array.isArray(rows) || rows.length === 0) return [firstOf(report)];
  return rows.flatMap((row: unknown) => {
    if (typeof row !== 'object' || row === null) return [];
    const { at, by, text, media } = row as Record<string, unknown>;
    return [{ at: typeof at === 'number' ? at : receivedAt(report), by: clean(by, 60), text: clean(text, MAX_TEXT), media: mediaOf(media) }];
  });
}

function firstOf(report: State): Message {
  return { at: receivedAt(report), by: 'reporter', text: str(report, 'text', MAX_TEXT), media: mediaOf(report.attributes['media']) };
}

function mediaOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

/** The reports that were merged into this one. */
export function mergedInto(entity: string, reports: readonly State[]): State[] {
  return reports.filter((report) => report.attributes['merged_into'] === entity).toSorted((a, b) => receivedAt(a) - receivedAt(b));
}

/** Those that have the words in what is shown of them. */
export function findReports(reports: readonly State[], text: string): State[] {
  const wanted = text.trim().toLocaleLowerCase('th').split(/\s+/u).filter(Boolean);
  const hay = (report: State): string =>
    [str(report, 'receipt'), str(report, 'channel'), str(report, 'place'), str(report, 'reporter'), ...messagesOf(report).map((message) => message.text)].join(' ').toLocaleLowerCase('th');
  return wanted.length === 0 ? [...reports] : reports.filter((report) => wanted.every((word) => hay(report).includes(word)));
}
