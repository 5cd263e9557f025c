/** Which rows of a long table are drawn: those in sight and some around them; the rest is empty space of their height. */

export interface Stretch {
  from: number;
  to: number;
  /** Pixels of the rows that are not drawn, above and below. */
  above: number;
  below: number;
}

const AROUND = 20;

/** ``top``, ``height``: the part in sight, in pixels; ``row``: the height of one row. */
export function stretchOf(rows: number, top: number, height: number, row: number): Stretch {
  const tall = Math.max(1, row);
  const first = Math.min(Math.max(0, Math.floor(top / tall) - AROUND), Math.max(0, rows - 1));
  const from = first - (first % 2); // so that striping and rows under a finger keep their places
  const to = Math.min(rows, Math.ceil((top + height) / tall) + AROUND);
  return { from, to: Math.max(to, Math.min(rows, from + 1)), above: from * tall, below: (rows - to) * tall };
}
