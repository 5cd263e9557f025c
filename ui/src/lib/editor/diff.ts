/** What differs between two texts, line by line. */

export interface DiffLine {
  kind: 'same' | 'gone' | 'new' | 'skip';
  text: string;
  /** Its number in the newer text; in the older one when it is gone. */
  n: number;
}

const MAX_CELLS = 4_000_000;
const AROUND = 2;

/** The lines that differ, each with a few that do not around it; ``skip`` stands for those left out. */
export function diffLines(before: string, after: string): DiffLine[] {
  const a = before.split(/\r?\n/);
  const b = after.split(/\r?\n/);
  let top = 0;
  while (top < a.length && top < b.length && a[top] === b[top]) top++;
  let end = 0;
  while (end < a.length - top && end < b.length - top && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const same = (from: number, to: number): DiffLine[] => b.slice(from, to).map((text, i) => ({ kind: 'same', text, n: from + i + 1 }));
  const middle = between(a.slice(top, a.length - end), b.slice(top, b.length - end), top);
  return shortened([...same(0, top), ...middle, ...same(b.length - end, b.length)]);
}

function between(a: string[], b: string[], offset: number): DiffLine[] {
  const gone = (i: number): DiffLine => ({ kind: 'gone', text: a[i]!, n: offset + i + 1 });
  const made = (j: number): DiffLine => ({ kind: 'new', text: b[j]!, n: offset + j + 1 });
  if (a.length * b.length > MAX_CELLS) return [...a.map((_, i) => gone(i)), ...b.map((_, j) => made(j))];
  const wide = b.length + 1;
  const common = new Uint32Array((a.length + 1) * wide); // longest common part from (i, j) on
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * wide + j] = a[i] === b[j] ? common[(i + 1) * wide + j + 1]! + 1 : Math.max(common[(i + 1) * wide + j]!, common[i * wide + j + 1]!);
    }
  }
  const found: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      found.push({ kind: 'same', text: b[j]!, n: offset + j + 1 });
      i++;
      j++;
    } else if (i < a.length && (j === b.length || common[(i + 1) * wide + j]! >= common[i * wide + j + 1]!)) found.push(gone(i++));
    else found.push(made(j++));
  }
  return found;
}

function shortened(lines: DiffLine[]): DiffLine[] {
  const near = new Set<number>();
  lines.forEach((line, at) => {
    if (line.kind !== 'same') for (let i = at - AROUND; i <= at + AROUND; i++) near.add(i);
  });
  const found: DiffLine[] = [];
  lines.forEach((line, at) => {
    if (near.has(at)) found.push(line);
    else if (found.length > 0 && found[found.length - 1]!.kind !== 'skip') found.push({ kind: 'skip', text: '', n: line.n });
  });
  if (found[found.length - 1]?.kind === 'skip') found.pop();
  return found;
}
