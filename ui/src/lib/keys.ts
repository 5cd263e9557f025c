/** The board's keys, by their place on the keyboard, so that they work while it is switched to Thai. */

export type Shortcut = 'next' | 'previous' | 'acknowledge' | 'shelve' | 'open' | 'command' | 'help' | 'close';

const PLACES: Record<string, Shortcut> = {
  KeyJ: 'next',
  KeyK: 'previous',
  KeyA: 'acknowledge',
  KeyS: 'shelve',
  Enter: 'open',
  NumpadEnter: 'open',
  Escape: 'close',
};

export interface Pressed {
  key: string;
  code: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
  repeat: boolean;
  defaultPrevented: boolean;
  target: EventTarget | null;
}

/** What a key means on the board; null while somebody is typing or a window is open. */
export function shortcut(event: Pressed): Shortcut | null {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return null;
  if (event.key === '?') return 'help';
  if (event.key === '/') return 'command';
  if (event.code === 'Slash') return event.shiftKey ? 'help' : 'command';
  const name = event.shiftKey ? undefined : PLACES[event.code];
  const held = event.repeat && name !== 'next' && name !== 'previous';
  return name && !held ? name : null;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  return target.closest('input, textarea, select, dialog, [contenteditable]') !== null;
}
