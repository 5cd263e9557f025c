/** One area's words in both languages; the type makes a missing or extra key a mistake at build. */

export interface Part<K extends string = string> {
  th: Record<K, string>;
  en: Record<K, string>;
}

/** Thai is the list of keys; English follows it. */
export function part<K extends string>(th: Record<K, string>, en: Record<NoInfer<K>, string>): Part<K> {
  return { th, en };
}
