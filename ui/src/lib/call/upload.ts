/** One piece of a recording on its way to the disk: seconds go out in order, and what is kept comes back as a number. */

export interface Kept {
  /** Bytes of this piece that are on the hub's disk. */
  kept: (bytes: number) => void;
  /** The hub ended it, with the reason; never called after ``end``. */
  lost: (why: string) => void;
}

/** More that waits than this means that the link is too slow to record over. */
export const MAX_WAITING = 8 << 20;

export class Upload {
  readonly #socket: WebSocket;
  readonly #told: Kept;
  #waiting: (ArrayBuffer | string)[] = [];
  #chain: Promise<void> = Promise.resolve();
  #ended = false;
  #size = 0;

  constructor(socket: WebSocket, mime: string, told: Kept) {
    this.#socket = socket;
    this.#told = told;
    this.#waiting.push(JSON.stringify({ mime }));
    socket.onopen = () => this.#flush();
    socket.onmessage = (event) => this.#told.kept((JSON.parse(String(event.data)) as { kept: number }).kept);
    socket.onclose = (event) => {
      if (!this.#ended) this.#told.lost(event.reason || 'closed');
      this.#ended = true;
    };
  }

  /** Bytes that were given so far. */
  get size(): number {
    return this.#size;
  }

  /** Send one second. Its bytes are read one after another, so that the order stays. */
  add(blob: Blob): void {
    this.#size += blob.size;
    this.#chain = this.#chain.then(async () => this.#put(await blob.arrayBuffer()));
  }

  /** The piece is whole. */
  end(): void {
    this.#chain = this.#chain.then(() => {
      if (this.#ended) return;
      this.#put('end');
      this.#ended = true;
    });
  }

  #put(message: ArrayBuffer | string): void {
    if (this.#ended) return;
    this.#waiting.push(message);
    this.#flush();
    if (this.#socket.bufferedAmount > MAX_WAITING) {
      this.#ended = true;
      this.#socket.close();
      this.#told.lost('the link is too slow');
    }
  }

  #flush(): void {
    if (this.#socket.readyState !== 1) return;
    for (const message of this.#waiting) this.#socket.send(message);
    this.#waiting = [];
  }
}
