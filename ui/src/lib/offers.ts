/** Which actions an entity offers to this officer. */

import type { ActionSpec, State } from './api';
import { capabilities } from './entity';
import { domainOf } from './text';

/** Is it an action of one of the entity's capabilities? An entity that says nothing of them has its domain's. */
export function offers(state: State, spec: ActionSpec): boolean {
  if (spec.capability === null) return false;
  const said = Array.isArray(state.attributes['capabilities']);
  return said ? capabilities(state).includes(spec.capability) : spec.capability === domainOf(state.entity);
}

/** The entity's actions; ``chosen`` names those that a view wants, in its order. */
export function actionsOf(state: State, specs: readonly ActionSpec[], chosen: readonly string[] | null | undefined, may: (right: string) => boolean): ActionSpec[] {
  const found = specs.filter((spec) => offers(state, spec) && may(spec.right));
  if (!chosen) return found;
  return chosen.map((name) => found.find((spec) => spec.name === name)).filter((spec) => spec !== undefined);
}

export function takesParameters(spec: ActionSpec): boolean {
  return Object.keys(spec.params.properties ?? {}).length > 0;
}
