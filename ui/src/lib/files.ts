/** A chosen file as the hub takes it: text, or base64 of its bytes. */

/** Null when it would be longer than ``limit`` letters. A byte-order mark is left out. */
export async function readFile(file: Blob, encoded: boolean, limit: number): Promise<string | null> {
  if (file.size > (encoded ? (limit * 3) / 4 : limit * 4)) return null;
  const bytes = new Uint8Array(await file.arrayBuffer());
  const text = encoded ? base64(bytes) : decode(bytes);
  return text.length > limit ? null : text;
}

/** UTF-8; what is not is taken as Windows-874, in which Thai office programs still write. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-874').decode(bytes);
  }
}

const CHUNK = 0x8000;

function base64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += CHUNK) binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(binary);
}
