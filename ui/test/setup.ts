/** What jsdom lacks of a browser: there is no layout, so nothing ever changes its size. */

class NoResizes {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

globalThis.ResizeObserver ??= NoResizes as unknown as typeof ResizeObserver;
