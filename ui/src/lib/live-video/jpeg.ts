/** Single pictures drawn as they come; while one is decoded only the newest other waits. */

import type { Piece } from './protocol';

export class JpegPlayer {
  readonly #canvas: HTMLCanvasElement;
  #next: Piece | null = null;
  #busy = false;
  #closed = false;
  shownAt = 0;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
  }

  take(piece: Piece): void {
    this.#next = piece;
    if (!this.#busy) void this.#draw();
  }

  close(): void {
    this.#closed = true;
  }

  async #draw(): Promise<void> {
    this.#busy = true;
    while (this.#next && !this.#closed) {
      const piece = this.#next;
      this.#next = null;
      try {
        const picture = await createImageBitmap(new Blob([piece.data], { type: 'image/jpeg' }));
        this.#canvas.width = picture.width;
        this.#canvas.height = picture.height;
        this.#canvas.getContext('2d')!.drawImage(picture, 0, 0);
        picture.close();
        this.shownAt = piece.at;
      } catch {
        // a broken picture is passed over; its age tells when no good one comes
      }
    }
    this.#busy = false;
  }
}
