/** What belongs to an incident, and what comes next for it. */

import type { HubEvent, State } from './api';
import { PRIORITIES, priorityOf, raisedAt } from './alarms';
import { str } from './entity';

export type Step = 'acknowledge' | 'assign' | 'close' | 'done';

export const RESULTS = ['resolved', 'false_alarm', 'handed_over', 'duplicate'] as const;

export function nextStep(incident: State): Step {
  if (incident.state === 'closed') return 'done';
  // A rule may have assigned a unit before any officer has taken the case.
  if (!isOwned(incident)) return 'acknowledge';
  return str(incident, 'unit') ? 'close' : 'assign';
}

export function isOwned(incident: State): boolean {
  return str(incident, 'owner_officer') !== '';
}

/** Described but not opened yet, or closed: no case that waits for anybody. */
export function isOpenCase(incident: State): boolean {
  return incident.state !== 'closed' && incident.state !== 'unknown';
}

/** Those without an owner first, then by priority, then the newest. */
export function compareIncidents(a: State, b: State): number {
  return (
    Number(isOwned(a)) - Number(isOwned(b)) ||
    PRIORITIES.indexOf(priorityOf(a)) - PRIORITIES.indexOf(priorityOf(b)) ||
    raisedAt(b) - raisedAt(a) ||
    (a.entity < b.entity ? -1 : 1)
  );
}

/** The hits of an incident: attached to it, its source, the subject of its alarms, or with the same picture. */
export function hitsOf(incident: State, timeline: readonly HubEvent[], alarms: readonly State[], hits: readonly State[]): State[] {
  const named = new Set<unknown>([incident.attributes['source_entity']]);
  for (const event of timeline) if (event.type === 'incident_attached') named.add(event.data['ref']);
  for (const alarm of alarms) if (alarm.attributes['incident'] === incident.entity) named.add(alarm.attributes['subject']);
  const crop = incident.attributes['crop'];
  return hits
    .filter((hit) => named.has(hit.entity) || (typeof crop === 'string' && crop !== '' && hit.attributes['crop'] === crop))
    .toSorted((a, b) => Number(a.state !== 'pending') - Number(b.state !== 'pending') || b.seq - a.seq);
}

/** Does an event concern the incident, so that its timeline must be read again? */
export function concerns(event: HubEvent, incident: string): boolean {
  return event.entity === incident || event.data['incident'] === incident || event.cause === incident;
}

const MACHINERY = new Set(['action_requested', 'entity_added', 'state_changed', 'availability_changed']);

/** Is it part of the case's story? Orders that were carried out tell themselves by what followed; failed ones must be told. */
export function isTold(event: HubEvent): boolean {
  if (event.type === 'action_finished') return event.data['status'] !== 'done';
  return !MACHINERY.has(event.type);
}

const TOLD = ['text', 'by', 'unit', 'distance_m', 'result', 'note', 'reason', 'what', 'ref', 'action', 'status', 'opened_by', 'plate'];

/** The fields of an event that a timeline tells, in the order in which people would. */
export function tellable(event: HubEvent): [string, unknown][] {
  const found = TOLD.map((key): [string, unknown] => [key, event.data[key]]);
  const error = event.data['error'];
  if (typeof error === 'object' && error !== null && 'message' in error) found.push(['error', error.message]);
  // A bare number of another event says nothing to a person; what it was stands beside it.
  return found.filter(([, value]) => value !== undefined && value !== null && value !== '' && !String(value).startsWith('event:'));
}
