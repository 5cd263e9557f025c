/** What travels on the live socket, as docs/reference/api.md gives it. */

export interface Fmp4Header {
  kind: 'fmp4';
  codecs: string;
  width: number;
  height: number;
}

export type NoneCode = 'connecting' | 'off' | 'h265' | 'codec';
export type Header = Fmp4Header | { kind: 'jpeg' } | { kind: 'none'; code: NoneCode; reason: string };

export interface ViewNote {
  entity: string;
  purpose: string | null;
  since: number;
}

export type TextFrame = { type: 'view'; view: ViewNote } | { type: 'beat'; now: number } | { type: 'header'; header: Header };

export interface Piece {
  /** When the hub got the picture; 0 for an init segment. */
  at: number;
  key: boolean;
  init: boolean;
  data: Uint8Array<ArrayBuffer>;
}

export const SIGNED_OUT = 4401;
export const ENDED = 4403;
export const CHANGED = 4409;
const HEAD = 9;

export function parseText(text: string): TextFrame | null {
  let raw: Record<string, unknown> | null;
  try {
    raw = JSON.parse(text) as Record<string, unknown> | null;
  } catch {
    return null;
  }
  if (raw === null || typeof raw !== 'object') return null;
  if (typeof raw['beat'] === 'number') return { type: 'beat', now: raw['beat'] };
  if (typeof raw['view'] === 'object' && raw['view'] !== null) return { type: 'view', view: raw['view'] as ViewNote };
  const header = headerOf(raw);
  return header && { type: 'header', header };
}

function headerOf(raw: Record<string, unknown>): Header | null {
  if (raw['kind'] === 'jpeg') return { kind: 'jpeg' };
  if (raw['kind'] === 'fmp4' && typeof raw['codecs'] === 'string' && /^[\w.]{1,40}$/.test(raw['codecs'])) {
    return { kind: 'fmp4', codecs: raw['codecs'], width: Number(raw['width']) || 16, height: Number(raw['height']) || 9 };
  }
  if (raw['kind'] === 'none') {
    const code = ['connecting', 'off', 'h265', 'codec'].find((one) => one === raw['code']) as NoneCode | undefined;
    return { kind: 'none', code: code ?? 'off', reason: String(raw['reason'] ?? '') };
  }
  return null;
}

export function parsePiece(message: ArrayBuffer): Piece | null {
  if (message.byteLength < HEAD) return null;
  const view = new DataView(message);
  const flags = view.getUint8(8);
  return { at: view.getFloat64(0), key: (flags & 1) !== 0, init: (flags & 2) !== 0, data: new Uint8Array(message, HEAD) };
}

export function liveUrl(location: { protocol: string; host: string }, entity: string): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/live/${encodeURIComponent(entity)}`;
}
