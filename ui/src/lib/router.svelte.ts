/** Which page: by address, so that a page can be reloaded, bookmarked and gone back from. */

class Router {
  path = $state(location.pathname);
  #listening = false;

  listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    window.addEventListener('popstate', () => (this.path = location.pathname));
  }

  go(path: string): void {
    if (path !== location.pathname) history.pushState(null, '', path);
    this.path = path;
  }

  /** The parts of the path: ``['views', 'NAME']``. */
  get parts(): string[] {
    return this.path.split('/').filter(Boolean).map(safeDecode);
  }
}

/** A click on a link of our own stays in this page; with a modifier key the browser does what it always does. */
export function follow(event: MouseEvent, path: string): void {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  router.go(path);
}

function safeDecode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const router = new Router();
