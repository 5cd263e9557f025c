/** A run's trace for a person: when, why it began, what each step did. Fields that are not known are left to the raw view. */

import type { Trace } from './api';
import { clean } from './text';

export interface TraceHead {
  at: number | null;
  state: string;
  trigger: string;
  error: string;
  /** How long it took, for those that ended later than they began. */
  seconds: number | null;
}

export interface TraceLine {
  path: string;
  at: number | null;
  words: string;
  failed: boolean;
}

type Fields = Record<string, unknown>;

export function headOf(trace: Trace): TraceHead {
  const trigger = fields(trace['trigger']);
  const told = [trigger['platform'], trigger['type'], trigger['entity']].filter((part) => typeof part === 'string' && part !== '');
  return {
    at: number(trace['started']) ?? number(trace['finished']),
    state: clean(trace['status'], 40),
    trigger: clean([...new Set(told)].join(' · '), 200),
    error: clean(trace['error'], 300),
    seconds: took(number(trace['started']), number(trace['finished'])),
  };
}

function took(started: number | null, finished: number | null): number | null {
  return started !== null && finished !== null && finished - started >= 0.05 ? finished - started : null;
}

/** Was it triggered, and nothing ran? */
export function didNotRun(trace: Trace): boolean {
  return trace['status'] === 'condition' || trace['status'] === 'skipped';
}

/** Why it did not run: the first condition that was false, with its values. */
export function firstFalse(trace: Trace): TraceLine | null {
  return linesOf(trace).find((line) => line.failed) ?? null;
}

export function linesOf(trace: Trace): TraceLine[] {
  const steps = Array.isArray(trace['steps']) ? trace['steps'] : [];
  return steps.map(fields).map((step) => ({
    path: clean(step['path'], 80),
    at: number(step['at']),
    words: wordsOf(step),
    failed: step['result'] === false || typeof step['error'] === 'string',
  }));
}

/** The result, then the details, then what went wrong; plain yes and no are told by the mark. */
function wordsOf(step: Fields): string {
  const parts: string[] = [];
  if (typeof step['result'] !== 'boolean' && step['result'] !== null) parts.push(clean(step['result'], 120));
  for (const [key, value] of Object.entries(fields(step['detail']))) {
    if (key === 'keys' || (Array.isArray(value) && value.length === 0)) continue;
    parts.push(`${clean(key, 40)} ${clean(Array.isArray(value) ? value.join(', ') : value, 120)}`);
  }
  if (step['error']) parts.push(clean(step['error'], 300));
  return parts.filter(Boolean).join(' · ');
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
