/** Texts that were changed and not saved, while this page is open: leaving the editor loses nothing. */

interface Draft {
  text: string;
  base: string | null;
}

const drafts = new Map<string, Draft>();

export function keepDraft(file: string, text: string, base: string | null): void {
  drafts.set(file, { text, base });
}

export function dropDraft(file: string): void {
  drafts.delete(file);
}

export function draftOf(file: string): Draft | undefined {
  return drafts.get(file);
}
