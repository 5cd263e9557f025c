/** Which domains the map shows: chosen per machine, so that each monitor keeps its own map. */

const KEY = 'safezone.hidden-layers';
const MAX_KEPT = 60;

class Layers {
  hidden = $state.raw<ReadonlySet<string>>(read());

  shows(domain: string): boolean {
    return !this.hidden.has(domain);
  }

  toggle(domain: string): void {
    const next = new Set(this.hidden);
    if (!next.delete(domain)) next.add(domain);
    this.hidden = next;
    try {
      localStorage.setItem(KEY, JSON.stringify([...next].slice(0, MAX_KEPT)));
    } catch {
      // the choice then holds for this page only
    }
  }
}

function read(): ReadonlySet<string> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return new Set(Array.isArray(kept) ? kept.filter((name): name is string => typeof name === 'string') : []);
  } catch {
    return new Set();
  }
}

export const layers = new Layers();
