/** What may be written where the cursor stands: names of the zone with their Thai beside them. */

import { clean, words, type Lang } from '../text';
import type { Field, Known } from './api';
import { spotAt, type Frame, type Spot } from './context';
import { keysAt, KEYS, partOf, VALUES } from './grammar';

export interface Option {
  label: string;
  /** Its name in the reader's language, shown beside it. */
  detail: string;
  info: string;
  /** A key: a colon follows. */
  key: boolean;
}

export interface Completed {
  from: number;
  options: Option[];
}

const MAX_OPTIONS = 100;
const ENTITY_KEYS = new Set(['entity_id', 'zone', 'scene', 'entity', 'entities']);

export function completeAt(text: string, pos: number, known: Known, lang: Lang): Completed | null {
  const spot = spotAt(text, pos);
  const found = new Finder(known, lang).at(spot);
  const options = ranked(found, spot.word).slice(0, MAX_OPTIONS);
  return options.length > 0 ? { from: spot.from, options } : null;
}

/** Those that hold what was typed, in the name or the id; those that begin with it first. */
export function ranked(options: readonly Option[], typed: string): Option[] {
  const word = typed.toLowerCase();
  if (!word) return [...options];
  const rank = (option: Option): number => {
    const label = option.label.toLowerCase();
    if (label.startsWith(word)) return 0;
    if (label.split('.')[1]?.startsWith(word) || option.detail.toLowerCase().startsWith(word)) return 1;
    return label.includes(word) || option.detail.toLowerCase().includes(word) ? 2 : 3;
  };
  return options
    .map((option) => ({ option, at: rank(option) }))
    .filter(({ at }) => at < 3)
    .toSorted((a, b) => a.at - b.at)
    .map(({ option }) => option);
}

class Finder {
  constructor(
    private readonly known: Known,
    private readonly lang: Lang,
  ) {}

  at(spot: Spot): Option[] {
    const [frame, outer] = spot.frames;
    if (!frame) return [];
    if (spot.template) return this.#entities();
    if (spot.key !== null) return this.#values(spot.key, frame, outer);
    if (ENTITY_KEYS.has(frame.key) && Object.keys(frame.mapping).length === 0) return this.#targets(outer?.key === 'target' ? spot.frames[2] : outer);
    return this.#keys(frame, outer);
  }

  #keys(frame: Frame, outer: Frame | undefined): Option[] {
    if (frame.key === 'data') return this.#fields(this.#action(outer)?.fields ?? [], frame);
    if (frame.key === 'event_data') return this.#fields(this.#event(outer)?.fields ?? [], frame);
    if (frame.key === 'input' && outer?.key === 'use_blueprint') {
      const blanks = this.#blueprint(outer)?.inputs ?? [];
      return blanks.filter((blank) => !Object.hasOwn(frame.mapping, blank.name)).map((blank) => this.#option(blank.name, blank.title, blank.description, true));
    }
    return keysAt(frame.key, frame.mapping).map((key) => this.#option(key, KEYS[key] ?? '', '', true));
  }

  #values(key: string, frame: Frame, outer: Frame | undefined): Option[] {
    const field = this.#fieldOf(key, frame, outer);
    if (field) return this.#choices(field);
    if (frame.key === 'input' && outer?.key === 'use_blueprint') return this.#blankValues(key, outer);
    if (ENTITY_KEYS.has(key)) return this.#targets(frame.key === 'target' ? outer : frame, key === 'zone' ? 'zone' : null);
    if (key === 'action' || key === 'service') return this.#actions();
    if (key === 'event_type' || (key === 'event' && partOf(frame.key) === 'step')) return this.known.events.map((event) => this.#option(event.name, event.title));
    if (key === 'trigger' || key === 'platform') return this.known.triggers.map((kind) => this.#option(kind, KEYS[kind] ?? ''));
    if (key === 'condition') return this.known.conditions.map((kind) => this.#option(kind, KEYS[kind] ?? ''));
    if (key === 'path' && frame.key === 'use_blueprint') return this.known.blueprints.map((one) => this.#option(one.path, one.name));
    return (VALUES[key] ?? []).map((value) => this.#option(value));
  }

  #fieldOf(key: string, frame: Frame, outer: Frame | undefined): Field | undefined {
    const fields = frame.key === 'data' ? this.#action(outer)?.fields : frame.key === 'event_data' ? this.#event(outer)?.fields : undefined;
    return fields?.find((field) => field.name === key);
  }

  #choices(field: Field): Option[] {
    if (field.entity) return this.#entities((one) => one.domain === field.entity);
    return field.choices.map((choice) => this.#option(String(choice)));
  }

  #blankValues(name: string, use: Frame): Option[] {
    const selector = this.#blueprint(use)?.inputs.find((blank) => blank.name === name)?.selector ?? null;
    if (selector && 'entity' in selector) {
      const domain = domainsOf(selector['entity']);
      return this.#entities((one) => domain.length === 0 || domain.includes(one.domain));
    }
    return optionsOf(selector?.['select']).map(({ value, label }) => this.#option(value, label));
  }

  /** Entities that the step's action can act on; all where it is no step. */
  #targets(step: Frame | undefined, domain: string | null = null): Option[] {
    const capability = this.#action(step)?.capability ?? null;
    return this.#entities((one) => (domain === null || one.domain === domain) && (capability === null || one.capabilities.includes(capability) || one.domain === capability));
  }

  #entities(which: (one: Known['entities'][number]) => boolean = () => true): Option[] {
    return this.known.entities.filter(which).map((one) => this.#option(one.id, one.name ?? '', one.state));
  }

  #actions(): Option[] {
    const actions = this.known.actions.map((one) => this.#option(one.name, one.title));
    return [...actions, ...this.known.scripts.map((one) => this.#option(one.name, one.title))];
  }

  #fields(fields: readonly Field[], frame: Frame): Option[] {
    return fields
      .filter((field) => !Object.hasOwn(frame.mapping, field.name))
      .toSorted((a, b) => Number(b.required) - Number(a.required))
      .map((field) => this.#option(field.name, field.title, `${field.required ? '* ' : ''}${field.type}${field.description ? ` · ${field.description}` : ''}`, true));
  }

  #action(step: Frame | undefined): Known['actions'][number] | undefined {
    const name = step?.mapping['action'] ?? step?.mapping['service'];
    return name === undefined ? undefined : this.known.actions.find((one) => one.name === name);
  }

  #event(part: Frame | undefined): Known['events'][number] | undefined {
    const name = part?.mapping['event_type'] ?? part?.mapping['event'];
    return name === undefined ? undefined : this.known.events.find((one) => one.name === name);
  }

  #blueprint(use: Frame): Known['blueprints'][number] | undefined {
    return this.known.blueprints.find((one) => one.path === use.mapping['path']);
  }

  #option(label: string, detail: unknown = '', info = '', key = false): Option {
    return { label, detail: words(detail, this.lang, 80), info: clean(info, 300), key };
  }
}

/** The domains of an entity selector: ``{domain}`` or ``{filter: [{domain}]}``, one or several. */
export function domainsOf(about: unknown): string[] {
  if (typeof about !== 'object' || about === null) return [];
  const { domain, filter } = about as { domain?: unknown; filter?: unknown };
  const own = Array.isArray(domain) ? domain : domain === undefined ? [] : [domain];
  const filters = Array.isArray(filter) ? filter : filter === undefined ? [] : [filter];
  return [...own.map(String), ...filters.flatMap(domainsOf)];
}

/** The choices of a select selector. */
export function optionsOf(about: unknown): { value: string; label: string }[] {
  const options = typeof about === 'object' && about !== null ? (about as { options?: unknown }).options : null;
  if (!Array.isArray(options)) return [];
  return options.map((one: unknown) => {
    if (typeof one !== 'object' || one === null) return { value: String(one), label: String(one) };
    const { value, label } = one as { value?: unknown; label?: unknown };
    return { value: String(value), label: String(label ?? value) };
  });
}
