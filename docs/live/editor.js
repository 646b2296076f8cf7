// The editor of Python: CodeMirror with what a short text needs. The Tab key leaves it, as everywhere on the page.

import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";

const mark = StateEffect.define();
const marked = StateField.define({
  create: () => Decoration.none,
  update(lines, change) {
    const found = change.effects.find(effect => effect.is(mark));
    if (!found) return change.docChanged ? Decoration.none : lines;
    const number = found.value;
    if (!(number >= 1 && number <= change.state.doc.lines)) return Decoration.none;
    const line = Decoration.line({ class: "wrong-line", attributes: { "data-wrong": "true" } });
    return Decoration.set([line.range(change.state.doc.line(number).from)]);
  },
  provide: field => EditorView.decorations.from(field),
});

export function makeEditor(parent, label, onChange, onRun) {
  const view = new EditorView({
    parent,
    state: EditorState.create({
      extensions: [
        keymap.of([{ key: "Mod-Enter", run: () => (onRun(), true) }, ...historyKeymap, ...defaultKeymap]),
        lineNumbers(),
        history(),
        drawSelection(),
        indentOnInput(),
        indentUnit.of("    "),
        bracketMatching(),
        highlightActiveLine(),
        EditorView.lineWrapping,
        python(),
        syntaxHighlighting(classHighlighter),
        marked,
        EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false" }),
        EditorView.updateListener.of(update => update.docChanged && onChange(view.state.doc.toString())),
      ],
    }),
  });
  return {
    get text() {
      return view.state.doc.toString();
    },
    set text(text) {
      if (text === view.state.doc.toString()) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    },
    markLine: number => view.dispatch({ effects: mark.of(number) }),
  };
}
