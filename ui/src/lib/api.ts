/** The hub's HTTP API: its types, as docs/reference/api.md gives them, and a client. Times are seconds since 1970 UTC. */

export interface Words {
  th: string;
  en: string;
}

export type Attributes = Record<string, unknown>;

export interface State {
  entity: string;
  state: string;
  attributes: Attributes;
  changed: number;
  updated: number;
  seq: number;
}

export interface HubEvent {
  seq: number;
  id: string;
  type: string;
  at: number;
  received: number;
  entity: string | null;
  source: string;
  data: Record<string, unknown>;
  cause: string | null;
  depth: number;
  version: number;
}

export interface HubError {
  code: string;
  message: string;
  where: string;
  hint: string;
}

export type OutcomeStatus = 'done' | 'failed' | 'timed_out' | 'unknown' | 'refused' | 'expired' | 'confirming';

export interface Outcome {
  key: string;
  status: OutcomeStatus;
  result: unknown;
  error: HubError | null;
  ms: number;
  confirmation: string | null;
}

export interface Session {
  user: string;
  roles: string[];
  rights: string[];
  csrf: string;
  expires: number;
  purpose: string | null;
}

export interface LoginPage {
  demo: { user: string; password: string } | null;
  station: Words | null;
}

export type LatLon = [number, number];

export interface Area {
  id: string;
  name: Words | string;
  polygon: LatLon[];
  residents?: number;
}

export interface Place {
  id: string;
  kind: string;
  name: Words | string;
  lat: number;
  lon: number;
  simulated?: boolean;
}

export interface Zone {
  name: Words | string;
  timezone: string;
  center: LatLon;
  border: LatLon[];
  areas: Area[];
  places: Place[];
  simulated?: boolean;
  attribution?: Words | string;
}

export interface JsonSchema {
  type?: string;
  title?: string;
  description?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
  allOf?: JsonSchema[];
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  items?: JsonSchema;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  format?: string;
  contentMediaType?: string;
  contentEncoding?: string;
  additionalProperties?: boolean | JsonSchema;
  oneOf?: JsonSchema[];
  /** The hub's own words: a label in both languages, words for the choices, the domain whose entities it names. */
  words?: Words;
  option_words?: Record<string, Words>;
  entity?: string;
}

export interface ActionSpec {
  name: string;
  title: Words;
  right: string;
  capability: string | null;
  idempotent: boolean;
  dangerous: boolean;
  timeout: number;
  params: JsonSchema;
}

export type ViewKind = 'table' | 'form' | 'map' | 'timeline' | 'picture' | 'chart' | 'actions' | 'video' | 'link';
export type ColumnFormat = 'text' | 'number' | 'percent' | 'age' | 'time' | 'duration' | 'entity' | 'words' | 'list' | 'bool' | 'interval';

export interface Column {
  field: string;
  title: Words;
  format: ColumnFormat;
}

export interface View {
  id: string;
  kind: ViewKind;
  title: Words;
  domain: string | null;
  event_type: string | null;
  action: string | null;
  /** Of a link: a staff route of the instance. */
  path?: string | null;
  columns: Column[];
  /** The actions offered on each row; all that the entity has when it does not say. */
  actions?: string[] | null;
  empty?: Words | null;
  right: string;
  plugin: string;
  instance: string;
  plugin_title?: Words | null;
  section?: string | null;
}

export interface PluginHealth {
  plugin: string;
  instance: string;
  state: string;
  reason: string;
  last_event_at: number | null;
  /** When the other side was last heard, how long it may be silent (seconds), and whether it is. */
  last_sign?: number | null;
  silent_after_s?: number | null;
  silent?: boolean;
  title?: Words | null;
  isolation?: string | null;
  quality?: number | null;
  faults?: number | null;
  description?: Words | string | null;
  restartable?: boolean;
  /** The JSON Schema of its settings; null until it was loaded. */
  schema?: JsonSchema | null;
}

export interface ProcessHealth {
  name: string;
  pid: number;
  rss_mb: number;
  cpu_s: number;
}

export interface Health {
  status: string;
  version: string;
  seq?: number;
  plugins?: PluginHealth[];
  processes?: ProcessHealth[];
  storage?: { level: string; free_mb: number };
}

export interface Automation {
  id: string;
  alias: string;
  enabled: boolean;
  mode: string;
  last_run_at: number | null;
  last_error: string | null;
  runs: number;
  file: string;
  /** It only notes what it would do. */
  shadow?: boolean;
  kind?: string;
}

export type Trace = Record<string, unknown>;
export type IncidentDetail = State & { timeline: HubEvent[] };

/** What the hub refused, in words for the person who reads them. */
export class ApiError extends Error {
  readonly code: string;
  readonly where: string;
  readonly hint: string;
  readonly status: number;
  /** All that the answer says, such as the mistakes of a text. */
  readonly told: Record<string, unknown>;

  constructor(status: number, error: Partial<HubError>) {
    super(error.message || `HTTP ${status}`);
    this.status = status;
    this.told = { ...error };
    this.code = error.code || 'error';
    this.where = error.where || '';
    this.hint = error.hint || '';
  }
}

export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

const TIMEOUT_MS = 15_000;

export class Api {
  /** The session's token; every changing request carries it. */
  csrf = '';
  /** Called when the hub says that nobody is signed in. */
  onSignedOut: () => void = () => {};
  readonly #fetch: Fetch;

  constructor(fetcher: Fetch = (input, init) => fetch(input, init)) {
    this.#fetch = fetcher;
  }

  async request<T>(method: string, path: string, body?: unknown, timeoutMs = TIMEOUT_MS): Promise<T> {
    const headers: Record<string, string> = { Accept: 'application/json' };
    if (method !== 'GET' && this.csrf) headers['X-CSRF'] = this.csrf;
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const init: RequestInit = { method, headers, credentials: 'same-origin', signal: AbortSignal.timeout(timeoutMs) };
    if (body !== undefined) init.body = JSON.stringify(body);
    const answer = await this.#send(path, init);
    const text = await answer.text();
    const data = parse(text);
    if (answer.ok) return data as T;
    const wrong = (data as { error?: Partial<HubError> } | null)?.error ?? {};
    if (answer.status === 401) this.onSignedOut();
    throw new ApiError(answer.status, wrong);
  }

  async #send(path: string, init: RequestInit): Promise<Response> {
    try {
      return await this.#fetch(path, init);
    } catch (fault) {
      const late = fault instanceof DOMException && fault.name === 'TimeoutError';
      throw new ApiError(0, { code: late ? 'timed_out' : 'unreachable', message: String(fault) });
    }
  }

  loginPage = (): Promise<LoginPage> => this.request('GET', '/api/login');
  session = (): Promise<Session> => this.request('GET', '/api/session');
  signOut = (): Promise<unknown> => this.request('DELETE', '/api/session');
  zone = (): Promise<Zone> => this.request('GET', '/api/zone');
  health = (): Promise<Health> => this.request('GET', '/api/health');

  signIn(user: string, password: string, code: string): Promise<Session> {
    return this.request('POST', '/api/session', { user, password, ...(code ? { code } : {}) });
  }

  setPurpose(purpose: string): Promise<unknown> {
    return this.request('PUT', '/api/session/purpose', { purpose });
  }

  async actions(): Promise<ActionSpec[]> {
    return (await this.request<{ actions: ActionSpec[] }>('GET', '/api/actions')).actions;
  }

  async views(): Promise<View[]> {
    return (await this.request<{ views: View[] }>('GET', '/api/views')).views;
  }

  /** Each type's words. */
  async eventTypes(): Promise<Record<string, Words>> {
    return (await this.request<{ event_types: Record<string, Words> }>('GET', '/api/event_types')).event_types;
  }

  async plugins(): Promise<PluginHealth[]> {
    return (await this.request<{ plugins: PluginHealth[] }>('GET', '/api/plugins')).plugins;
  }

  restart(instance: string): Promise<{ state: string }> {
    return this.request('POST', `/api/plugins/${encodeURIComponent(instance)}/restart`, undefined, 60_000);
  }

  async automations(): Promise<Automation[]> {
    return (await this.request<{ automations: Automation[] }>('GET', '/api/automations')).automations;
  }

  async traces(id: string): Promise<Trace[]> {
    return (await this.request<{ traces: Trace[] }>('GET', `/api/automations/${encodeURIComponent(id)}/traces`)).traces;
  }

  enable(id: string, enabled: boolean): Promise<{ enabled: boolean }> {
    return this.request('POST', `/api/automations/${encodeURIComponent(id)}/enabled`, { enabled });
  }

  incident(entity: string): Promise<IncidentDetail> {
    return this.request('GET', `/api/incidents/${encodeURIComponent(entity)}`);
  }

  events(query: Record<string, string | number>): Promise<HubEvent[]> {
    const words = Object.entries(query).map(([key, value]): [string, string] => [key, String(value)]);
    return this.request('GET', `/api/events?${new URLSearchParams(words)}`);
  }

  /** Do something. ``key`` makes a repeated press the same call. */
  call(name: string, target: string | null, params: Record<string, unknown> = {}, key?: string): Promise<Outcome> {
    const body = { ...(target ? { target } : {}), params, ...(key ? { key } : {}) };
    return this.request('POST', `/api/actions/${encodeURIComponent(name)}`, body, 130_000);
  }

  /** Answer ``confirmation.KEY``. */
  confirm(entity: string, yes: boolean): Promise<Outcome> {
    const id = entity.replace(/^confirmation\./, '');
    return this.request('POST', `/api/confirmations/${encodeURIComponent(id)}`, { answer: yes ? 'yes' : 'no' }, 130_000);
  }
}

export function mediaUrl(id: string): string {
  return `/api/media/${encodeURIComponent(id)}`;
}

function parse(text: string): unknown {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}
