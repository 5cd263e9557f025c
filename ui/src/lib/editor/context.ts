/** Where the cursor stands in a text of automations: under which keys, beside which others. By indentation, so that it
 * works while the text is no YAML yet. */

export interface Frame {
  /** The key under which this mapping, or a list of such, stands; '' at the top. */
  key: string;
  /** The mapping's own keys with what stands behind them on their line. */
  mapping: Record<string, string>;
}

export interface Spot {
  /** Innermost first. */
  frames: Frame[];
  /** The key whose value is being written; null where a key, or an item of a list, begins. */
  key: string | null;
  /** What was written of the word so far, and where it begins. */
  word: string;
  from: number;
  /** Inside a template's quotes, where an entity's name is likely. */
  template: boolean;
}

interface Line {
  indent: number;
  /** Columns of the dashes of lists that begin here. */
  dashes: number[];
  /** The column of what follows the dashes. */
  col: number;
  key: string | null;
  value: string;
  empty: boolean;
}

const KEYED = /^(?:(['"])(.+?)\1|([\w-]+(?: [\w-]+)?)):(?:\s+(.*))?$/;
const MAX_LINES_AROUND = 400;

export function spotAt(text: string, pos: number): Spot {
  const start = text.lastIndexOf('\n', pos - 1) + 1;
  const before = text.slice(start, pos);
  const inTemplate = Math.max(before.lastIndexOf('{{'), before.lastIndexOf('{%')) > Math.max(before.lastIndexOf('}}'), before.lastIndexOf('%}'));
  const lines = text.split(/\r?\n/);
  const number = text.slice(0, start).split('\n').length - 1;
  const here = lineOf(before);
  const frames = framesOf(lines, number, here);
  if (inTemplate) {
    const word = /(['"])([\w.]*)$/.exec(before)?.[2];
    return { frames, key: null, word: word ?? '', from: pos - (word ?? '').length, template: word !== undefined };
  }
  const flow = inFlow(here.key === null ? before.slice(here.col) : here.value);
  if (flow) {
    const inner = here.key === null ? frames : [{ key: here.key, mapping: flow.mapping }, ...frames];
    return { frames: flow.list ? frames : inner, key: flow.list ? here.key : flow.key, word: flow.word, from: pos - flow.word.length, template: false };
  }
  const written = here.key === null ? before.slice(here.col) : here.value;
  const word = /[\w./:-]*$/.exec(written.replace(/^['"]/, ''))?.[0] ?? '';
  return { frames, key: here.key, word, from: pos - word.length, template: false };
}

/** ``{entity_id: light.x, tra|`` and ``[light.x, li|``. */
function inFlow(value: string): { mapping: Record<string, string>; key: string | null; word: string; list: boolean } | null {
  const open = value.lastIndexOf('{');
  const bracket = value.lastIndexOf('[');
  const word = /[\w.]*$/.exec(value)![0];
  if (open < 0 || open < value.lastIndexOf('}')) {
    return bracket >= 0 && bracket > value.lastIndexOf(']') ? { mapping: {}, key: null, word, list: true } : null;
  }
  const mapping: Record<string, string> = {};
  for (const [, key, said] of value.slice(open + 1).matchAll(/(\w+):\s*([^,}\]]*)/g)) mapping[key!] = unquoted(said!);
  const key = /(\w+):\s*(?:\[[^\]]*)?['"]?[\w.]*$/.exec(value)?.[1] ?? null;
  return { mapping, key, word, list: false };
}

function lineOf(raw: string): Line {
  const head = /^(\s*)((?:-\s+|-$)*)/.exec(raw)!;
  const dashes = [...head[2]!].flatMap((sign, at) => (sign === '-' ? [head[1]!.length + at] : []));
  const col = head[0].length;
  const rest = raw.slice(col);
  const keyed = KEYED.exec(rest);
  const empty = rest.trim() === '' || rest.startsWith('#');
  return { indent: head[1]!.length, dashes, col, key: keyed ? (keyed[2] ?? keyed[3]!) : null, value: keyed?.[4] ?? '', empty: empty && dashes.length === 0 };
}

function framesOf(lines: string[], number: number, here: Line): Frame[] {
  const frames: Frame[] = [];
  let at = number;
  let line = here;
  for (let depth = 0; depth < 20; depth++) {
    const mapping = line.key === null ? {} : { [line.key]: valueOf(line.value) };
    const first = siblings(lines, at, line, mapping);
    const parent = parentOf(lines, first.at, line.col, first.dashes);
    frames.push({ key: parent?.line.key ?? '', mapping });
    if (!parent) break;
    at = parent.at;
    line = parent.line;
  }
  return frames;
}

/** Collects the keys beside; answers the line with which their mapping begins. */
function siblings(lines: string[], at: number, line: Line, mapping: Record<string, string>): { at: number; dashes: number[] } {
  const col = line.col;
  let first = { at, dashes: line.dashes };
  for (let i = at - 1; line.dashes.length === 0 && i >= 0 && at - i < MAX_LINES_AROUND; i--) {
    const other = lineOf(lines[i]!);
    if (other.empty) continue;
    if (other.col < col) break;
    if (other.col > col) {
      if (other.dashes.length > 0 && other.dashes[0]! < col) break;
      continue;
    }
    if (other.key !== null) mapping[other.key] ??= valueOf(other.value);
    first = { at: i, dashes: other.dashes };
    if (other.dashes.length > 0) break;
  }
  for (let i = at + 1; i < lines.length && i - at < MAX_LINES_AROUND; i++) {
    const other = lineOf(lines[i]!);
    if (other.empty) continue;
    if (other.indent < col) break;
    if (other.indent === col && other.dashes.length === 0 && other.key !== null) mapping[other.key] ??= valueOf(other.value);
  }
  return first;
}

/** The line whose key holds the mapping that begins there. */
function parentOf(lines: string[], at: number, col: number, dashes: number[]): { at: number; line: Line } | null {
  const dash = dashes.at(-1);
  const edge = dash ?? col;
  for (let i = at - 1; i >= 0; i--) {
    const other = lineOf(lines[i]!);
    if (other.empty || other.key === null) continue;
    // a list may begin in the very column of its key
    if (other.col < edge || (dash !== undefined && other.col === dash && other.dashes.length === 0)) return { at: i, line: other };
  }
  return null;
}

function valueOf(value: string): string {
  return unquoted(value.replace(/\s+#.*$/, ''));
}

function unquoted(value: string): string {
  return value.trim().replace(/^(['"])(.*)\1$/, '$2');
}
