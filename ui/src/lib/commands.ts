/** The command line: ``/191 TEXT`` opens the phone note, other words search. */

import type { ActionSpec, State } from './api';
import { fieldsOf } from './schema';

export type Command =
  | { kind: 'phone'; text: string }
  | { kind: 'find'; text: string }
  | { kind: 'help' }
  | { kind: 'unknown'; word: string }
  | { kind: 'empty' };

export function parseCommand(line: string): Command {
  const text = line.trim();
  if (!text) return { kind: 'empty' };
  if (!text.startsWith('/')) return { kind: 'find', text };
  const [word = '', ...rest] = text.slice(1).trim().split(/\s+/u);
  const argument = rest.join(' ');
  if (word === '191') return { kind: 'phone', text: argument };
  if (word === 'help' || word === '?' || word === 'ช่วย') return { kind: 'help' };
  if (word === 'find' || word === 'หา') return { kind: 'find', text: argument };
  return { kind: 'unknown', word: `/${word}` };
}

// The incident actions that take no incident as target open a new one. Which plugin brings them is not known here.
const PREFERRED = ['incident.call_note', 'incident.open'];

/** The action that opens a case from a phone call, if the hub has one. */
export function phoneAction(actions: readonly ActionSpec[]): ActionSpec | null {
  const opening = actions.filter((action) => action.name.startsWith('incident.') && action.capability === null);
  for (const name of PREFERRED) {
    const found = opening.find((action) => action.name === name);
    if (found) return found;
  }
  return opening[0] ?? null;
}

const TEXT_KEYS = ['text', 'what', 'note', 'title', 'detail', 'summary'];

/** The parameter that what was typed belongs to: a known name, else the first text. */
export function textField(action: ActionSpec): string | null {
  const texts = fieldsOf(action.params).filter((field) => field.kind === 'text' || field.kind === 'long');
  const known = TEXT_KEYS.find((key) => texts.some((field) => field.key === key));
  return known ?? texts.find((field) => field.required)?.key ?? texts[0]?.key ?? null;
}

/** Does anything that is shown of the entity hold all the words? */
export function matchesSearch(state: State, text: string): boolean {
  const hay = `${state.entity} ${JSON.stringify(state.attributes)}`.toLocaleLowerCase('th');
  return text
    .toLocaleLowerCase('th')
    .split(/\s+/u)
    .every((word) => hay.includes(word));
}
