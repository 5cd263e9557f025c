/** The text editor itself; the only file that knows CodeMirror, loaded when it is first needed.
 *
 * It lives in a shadow root: there its styles are adopted style sheets, which the content security policy allows. */

import { acceptCompletion, autocompletion, completionKeymap, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting, syntaxTree } from '@codemirror/language';
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { EditorState, type Text } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import type { Mistake } from './api';
import type { Completed } from './complete';

export interface Options {
  text: string;
  label: string;
  readOnly: boolean;
  phrases: Record<string, string>;
  onchange: (text: string) => void;
  complete: (text: string, pos: number) => Completed | null;
}

export interface Editor {
  /** Replaces the text; it can be undone. */
  set(text: string): void;
  mark(mistakes: readonly Mistake[]): void;
  goTo(line: number, column: number): void;
  focus(): void;
  destroy(): void;
}

const colours = HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName), tags.propertyName], color: 'var(--accent)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--good)' },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword, tags.typeName], color: 'var(--high)' },
  { tag: [tags.comment, tags.lineComment], color: 'var(--dim)', fontStyle: 'italic' },
  { tag: [tags.separator, tags.punctuation, tags.meta], color: 'var(--dim)' },
]);

const theme = EditorView.theme({
  '&': { height: '100%', color: 'var(--text)', backgroundColor: 'var(--bg)', fontSize: '0.95rem' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'ui-monospace, "DejaVu Sans Mono", "Noto Sans Mono", "IBM Plex Sans Thai", "Noto Sans Thai", Loma, monospace', lineHeight: '1.6' },
  '.cm-content': { caretColor: 'var(--text)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)', borderLeftWidth: '2px' },
  '.cm-gutters': { backgroundColor: 'var(--panel)', color: 'var(--dim)', borderRight: '1px solid var(--line)' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--raised) 60%, transparent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'color-mix(in srgb, var(--accent) 30%, transparent)' },
  '.cm-tooltip, .cm-panels': { backgroundColor: 'var(--panel)', color: 'var(--text)', border: '1px solid var(--line)' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: '"IBM Plex Sans Thai", "Noto Sans Thai", Loma, sans-serif', maxHeight: '16rem', minWidth: '22rem' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { lineHeight: '1.6', padding: '0.1rem 0.5rem' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--accent)', color: 'var(--on-accent)' },
  '.cm-completionDetail': { fontStyle: 'normal', color: 'inherit', marginLeft: '1rem' },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '600' },
  '.cm-diagnostic': { fontFamily: '"IBM Plex Sans Thai", Loma, sans-serif', borderLeftColor: 'var(--critical)' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--critical)', textUnderlineOffset: '0.25em' },
  '.cm-textfield, .cm-button': { backgroundImage: 'none', backgroundColor: 'var(--bg)', color: 'var(--text)', border: '1px solid var(--line)', fontSize: '0.9rem' },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--raised)', outline: '1px solid var(--line)' },
  '.cm-searchMatch, .cm-selectionMatch': { backgroundColor: 'color-mix(in srgb, var(--high) 35%, transparent)' },
});

export function mount(root: ShadowRoot, options: Options): Editor {
  // Windows' line ends stay as they are in the file
  const ends = options.text.includes('\r\n') ? '\r\n' : '\n';
  const completion = (context: CompletionContext): CompletionResult | null => completed(context, options.complete);
  const state = EditorState.create({
    doc: options.text,
    extensions: [
      EditorState.lineSeparator.of(ends), EditorState.phrases.of(options.phrases), EditorState.readOnly.of(options.readOnly),
      EditorState.tabSize.of(2), indentUnit.of('  '),
      lineNumbers(), highlightActiveLineGutter(), highlightActiveLine(), history(), drawSelection(), indentOnInput(), bracketMatching(),
      yaml(), syntaxHighlighting(colours), theme, lintGutter(), search({ top: true }), highlightSelectionMatches(),
      autocompletion({ override: [completion], activateOnCompletion: (one) => one.type === 'property', icons: false }),
      keymap.of([{ key: 'Tab', run: acceptCompletion }, ...completionKeymap, ...lintKeymap, ...searchKeymap, ...historyKeymap, ...defaultKeymap]),
      EditorView.contentAttributes.of({ 'aria-label': options.label, tabindex: '0', spellcheck: 'false', autocapitalize: 'off' }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) options.onchange(update.state.sliceDoc());
      }),
    ],
  });
  const view = new EditorView({ state, parent: root, root });
  return {
    set: (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: view.state.toText(text) } }),
    mark: (mistakes) => view.dispatch(setDiagnostics(view.state, mistakes.map((one) => diagnostic(view.state.doc, one)))),
    goTo(line, column) {
      const { from } = rangeOf(view.state.doc, line, column);
      view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: 'center' }) });
      view.focus();
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}

function completed(context: CompletionContext, complete: Options['complete']): CompletionResult | null {
  if (syntaxTree(context.state).resolveInner(context.pos, -1).name === 'Comment') return null;
  if (!context.explicit && !context.matchBefore(/[\p{L}\p{M}\w.:"'-]\s?$/u)) return null;
  const found = complete(context.state.doc.toString(), context.pos);
  if (!found || (!context.explicit && found.options.length === 1 && found.options[0]!.label === context.state.sliceDoc(found.from, context.pos))) return null;
  return {
    from: found.from,
    filter: false, // Thai names count too
    options: found.options.map((one) => ({
      label: one.label, detail: one.detail, type: one.key ? 'property' : 'text', ...(one.info ? { info: one.info } : {}),
      apply: one.key && !/^\s*:/.test(context.state.sliceDoc(context.pos, context.pos + 5)) ? `${one.label}: ` : one.label,
    })),
  };
}

function diagnostic(doc: Text, mistake: Mistake): Diagnostic {
  return { ...rangeOf(doc, mistake.line, mistake.column), severity: 'error', message: mistake.words };
}

/** From a mistake's place to the end of its word. Columns count letters, the editor counts UTF-16 units. */
export function rangeOf(doc: Text, line: number, column: number): { from: number; to: number } {
  const there = doc.line(Math.min(Math.max(line, 1), doc.lines));
  const letters = [...there.text];
  const offset = letters.slice(0, Math.max(column - 1, 0)).join('').length;
  const word = /^[^\s,\]}]+/.exec(there.text.slice(offset))?.[0] ?? '';
  const from = word ? there.from + offset : there.from + (there.text.length - there.text.trimStart().length);
  return { from, to: word ? from + word.length : there.to };
}
