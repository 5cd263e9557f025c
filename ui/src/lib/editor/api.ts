/** The editor's part of the hub's API. */

import { ApiError, type Words } from '../api';
import { app } from '../app.svelte';

export interface Mistake {
  line: number;
  column: number;
  words: string;
}

export interface RuleFile {
  file: string;
  hash: string | null;
  ids: string[];
  mistakes: Mistake[];
  writable: boolean;
  reason: string;
  /** As the list of automations names it. */
  shown: string;
}

export interface Version {
  n: number;
  hash: string | null;
  by: string;
  at: number;
  note: string;
  mode: string;
}

export interface OpenFile {
  file: string;
  text: string;
  hash: string;
  ids: string[];
  shadow: boolean;
  versions: Version[];
}

export type Mode = 'live' | 'shadow';

export interface Field {
  name: string;
  type: string;
  required: boolean;
  title: Words | string;
  description: string;
  choices: unknown[];
  entity: string | null;
}

export interface Section {
  id: string;
  title: string;
  description: string;
  collapsed: boolean;
}

export interface Blank {
  name: string;
  section: Section | null;
  title: string;
  description: string;
  selector: Record<string, unknown> | null;
  required: boolean;
  default?: unknown;
}

export interface Blueprint {
  path: string;
  name: string;
  description: string;
  domain: string;
  source: 'own' | 'hub';
  inputs: Blank[];
  mistakes: Mistake[];
}

export interface Known {
  entities: { id: string; name: Words | string | null; domain: string; state: string; capabilities: string[] }[];
  actions: { name: string; title: Words; capability: string | null; target: boolean; dangerous: boolean; fields: Field[] }[];
  scripts: { name: string; title: string }[];
  events: { name: string; title: Words; fields: Field[] }[];
  triggers: string[];
  conditions: string[];
  steps: string[];
  blueprints: Pick<Blueprint, 'path' | 'name' | 'domain' | 'inputs'>[];
}

export interface Fired {
  automation: string;
  at: number;
  type: string | null;
  entity: string | null;
  trigger: string | null;
  status: string;
  error: string | null;
  actions: { action: string; targets: unknown }[];
}

export interface Near {
  automation: string;
  at: number;
  status: string;
  type: string | null;
  entity: string | null;
  path: string | null;
  why: unknown;
}

export interface Replayed {
  total: number;
  fired: Fired[];
  alarms: number;
  alarms_per_hour: number;
  budget_per_hour: number;
  near: Near[];
  live: { total: number; only_live: number; only_draft: number } | null;
  events: number;
  seconds: number;
}

export interface Rendered {
  text: string;
  filled: string;
  mistakes: Mistake[];
}

/** What stands there now, when somebody else was faster. */
export interface Other {
  hash: string | null;
  by: string;
  at: number | null;
}

const REPLAY_MS = 150_000;
const at = (file: string): string => `/api/automation-files/${encodeURIComponent(file)}`;

export const editorApi = {
  files: async (): Promise<RuleFile[]> => (await app.api.request<{ files: RuleFile[] }>('GET', '/api/automation-files')).files,
  open: (file: string): Promise<OpenFile> => app.api.request('GET', at(file)),
  version: (file: string, n: number): Promise<Version & { text: string | null }> => app.api.request('GET', `${at(file)}/versions/${n}`),
  save: (file: string, text: string, base: string | null, note: string, mode: Mode): Promise<{ hash: string; version: number; ids: string[] }> =>
    app.api.request('PUT', at(file), { text, base, note, mode }),
  remove: (file: string, base: string): Promise<unknown> => app.api.request('DELETE', at(file), { base }),
  check: async (text: string): Promise<Mistake[]> => (await app.api.request<{ mistakes: Mistake[] }>('POST', '/api/automations/check', { text })).mistakes,
  words: (): Promise<Known> => app.api.request('GET', '/api/automations/words'),
  shadow: (id: string, shadow: boolean): Promise<unknown> => app.api.request('POST', `/api/automations/${encodeURIComponent(id)}/shadow`, { shadow }),
  replay: (text: string, from: number, to: number): Promise<Replayed> => app.api.request('POST', '/api/automations/replay', { text, from, to }, REPLAY_MS),
  blueprints: async (): Promise<Blueprint[]> => (await app.api.request<{ blueprints: Blueprint[] }>('GET', '/api/blueprints')).blueprints,
  bring: (path: string, text: string): Promise<unknown> => app.api.request('POST', '/api/blueprints', { path, text }),
  render: (path: string, id: string, alias: string, input: Record<string, unknown>, yaml: Record<string, string>): Promise<Rendered> =>
    app.api.request('POST', '/api/blueprints/render', { path, id, alias, input, yaml }),
};

/** The mistakes that a refusal names; none of another refusal. */
export function mistakesOf(fault: unknown): Mistake[] {
  const told = fault instanceof ApiError ? fault.told['mistakes'] : null;
  return Array.isArray(told) ? (told as Mistake[]) : [];
}

export function otherOf(fault: unknown): Other | null {
  return fault instanceof ApiError && fault.status === 409 ? ((fault.told['other'] as Other | undefined) ?? null) : null;
}
