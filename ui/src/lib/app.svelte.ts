/** The signed-in officer, what the hub can do, and what this desk is looking at. */

import { Api, ApiError, type ActionSpec, type LoginPage, type Outcome, type Session, type View, type Words, type Zone } from './api';
import { live } from './live.svelte';
import { notices } from './notices.svelte';
import { prefs } from './prefs.svelte';
import { Siren, Speaker } from './sound';
import { browserTimers } from './stream';
import { words } from './text';

class App {
  readonly api = new Api();
  readonly speaker = new Speaker();
  readonly siren = new Siren((priority) => this.speaker.play(priority), browserTimers);
  session = $state.raw<Session | null>(null);
  started = $state(false);
  expired = $state(false);
  loginPage = $state.raw<LoginPage | null>(null);
  zone = $state.raw<Zone | null>(null);
  actions = $state.raw<ActionSpec[]>([]);
  views = $state.raw<View[]>([]);
  /** Has this desk heard its loudspeaker since the page was opened? */
  soundTested = $state(false);
  eventTitles = $state.raw<Record<string, Words>>({});
  pluginTitles = $state.raw<Record<string, Words>>({});
  /** The incident on the panel, as an entity id. */
  incident = $state<string | null>(null);
  /** The incident for which pictures are being looked at: named to the hub before any picture is asked for. */
  purpose = $state<string | null>(null);
  /** A place the map should show; a new object each time, so that asking twice works. */
  focus = $state.raw<{ at: [number, number] } | null>(null);

  constructor() {
    this.api.onSignedOut = () => this.#signedOut();
  }

  async begin(): Promise<void> {
    this.loginPage = await this.api.loginPage().catch(() => null);
    try {
      await this.#enter(await this.api.session());
    } catch (fault) {
      if (!(fault instanceof ApiError) || fault.status === 0) notices.fault(fault);
    }
    this.started = true;
  }

  async signIn(user: string, password: string, code: string): Promise<void> {
    await this.#enter(await this.api.signIn(user, password, code));
  }

  async signOut(): Promise<void> {
    await this.api.signOut().catch((fault: unknown) => notices.fault(fault));
    this.#leave();
    this.expired = false;
  }

  async #enter(session: Session): Promise<void> {
    this.api.csrf = session.csrf;
    this.session = session;
    this.expired = false;
    live.start(() => void this.#checkSession());
    await this.load();
  }

  /** What changes rarely; asked for again when the link comes back. */
  async load(): Promise<void> {
    const [zone, actions, views, titles] = await Promise.allSettled([this.api.zone(), this.api.actions(), this.api.views(), this.api.eventTypes()]);
    if (zone.status === 'fulfilled') {
      this.zone = zone.value;
      if (zone.value.timezone) prefs.timezone = zone.value.timezone;
    }
    if (actions.status === 'fulfilled') this.actions = actions.value;
    if (titles.status === 'fulfilled') this.eventTitles = titles.value;
    if (views.status === 'fulfilled') this.views = views.value;
    if (this.may('plugin.read')) await this.#loadTitles().catch(() => {}); // the folder's name then stands for it
  }

  async #loadTitles(): Promise<void> {
    const titled = (await this.api.plugins()).filter((plugin) => plugin.title);
    this.pluginTitles = Object.fromEntries(titled.map((plugin) => [plugin.plugin, plugin.title!]));
  }

  async #checkSession(): Promise<void> {
    await this.api.session().catch(() => {}); // a 401 signs out, anything else is the link's matter
  }

  #signedOut(): void {
    if (!this.session) return;
    this.#leave();
    this.expired = true;
  }

  #leave(): void {
    live.stop();
    this.siren.update(null);
    this.session = null;
    this.incident = null;
    this.purpose = null;
    this.api.csrf = '';
    void this.api.loginPage().then(
      (page) => (this.loginPage = page),
      () => {},
    );
  }

  may(right: string): boolean {
    return (this.session?.rights ?? []).some((pattern) => covers(pattern, right));
  }

  /** Is there such an action, and may this officer ask for it? */
  mayCall(name: string): boolean {
    const spec = this.action(name);
    return spec !== undefined && this.may(spec.right);
  }

  action(name: string): ActionSpec | undefined {
    return this.actions.find((spec) => spec.name === name);
  }

  actionTitle(name: string): string {
    return words(this.action(name)?.title ?? name, prefs.lang);
  }

  /** What people call a type of event: its declaration says it. */
  eventTitle(type: string): string {
    return words(this.eventTitles[type] ?? type, prefs.lang, 80);
  }

  /** Do something and tell how it went; null when the hub refused or was not reached. */
  async call(name: string, target: string | null, params: Record<string, unknown> = {}): Promise<Outcome | null> {
    try {
      const outcome = await this.api.call(name, target, params);
      notices.outcome(outcome, this.actionTitle(name));
      return outcome;
    } catch (fault) {
      notices.fault(fault, prefs.t('action.failed', { action: this.actionTitle(name) }));
      return null;
    }
  }

  /** Show an incident; its panel names it as the purpose for which people's data is looked at. */
  openIncident(entity: string | null): void {
    this.incident = entity;
    if (entity === null) void this.namePurpose(null);
  }

  /** An open incident is a purpose; without one the officer's duty is. */
  async namePurpose(entity: string | null): Promise<void> {
    const open = entity !== null && live.store.get(entity)?.state !== 'closed';
    const purpose = open ? entity : (this.session?.purpose ?? null);
    if (purpose) await this.api.setPurpose(purpose).catch(() => {}); // the media route then says what is missing
    if (this.incident === entity) this.purpose = entity;
  }
}

/** Rights may be patterns: ``incident.*``, ``*.control``, ``*``. */
export function covers(pattern: string, right: string): boolean {
  if (pattern === right || pattern === '*') return true;
  const [domain, verb] = pattern.split('.');
  const [ownDomain, ownVerb] = right.split('.');
  return (verb === '*' && domain === ownDomain) || (domain === '*' && verb === ownVerb);
}

export const app = new App();
