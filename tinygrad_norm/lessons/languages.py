"""The language that a lesson or an exercise speaks: its labels, and how it writes numbers.

:func:`say` gives a label of the package in the language of the block :func:`speaking`. The one idea: a label stands in
English where it is used, and a table beside it holds what another language puts in its place; a language is that of a
whole page, so it is set once around it. What the author of a lesson wrote is never touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Language:
    """A language: its code as HTML has it, its decimal and thousands signs, and its words for the English labels."""

    code: str
    decimal: str = "."
    thousands: str = ","
    words: Mapping[str, str] = field(default_factory=dict)


_GERMAN = {
    # A lesson
    "Step {number}. {title}": "Schritt {number}. {title}",
    "Steps": "Schritte",
    "The notes": "Die Notizen",
    "Why": "Warum",
    "To take away": "Zum Mitnehmen",
    "To go deeper": "Zum Vertiefen",
    "All {count} places of the slider, as a table": "Alle {count} Stellungen des Reglers, als Tabelle",
    "With all values and gradients": "Mit allen Werten und Gradienten",
    "Step through it, forward and backward": "Schritt für Schritt, vorwärts und rückwärts",
    "To step through it, forward and backward, write the page with {option}.": (
        "Um es Schritt für Schritt durchzugehen, vorwärts und rückwärts, schreibe die Seite mit {option}."
    ),
    "All of it: {command}": "Alles: {command}",
    "One step: {command}": "Ein Schritt: {command}",
    "As a page: {command}": "Als Seite: {command}",
    "As slides: {command}": "Als Folien: {command}",
    "Slides": "Folien",
    "Right, or not?": "Richtig oder nicht?",
    "Previous slide": "Vorige Folie",
    "Next slide": "Nächste Folie",
    "Notes": "Notizen",
    "Wrote {file}.": "{file} ist geschrieben.",
    "Slip": "Fehler",
    "Imprecise": "Ungenau",
    "Too strong": "Zu stark",
    "Disputed": "Umstritten",
    "Partly shown": "Zum Teil gezeigt",
    "Right": "Richtig",
    "yes": "ja",
    "no": "nein",
    # An exercise
    "Exercise {number}: {title}": "Aufgabe {number}: {title}",
    "Exercise {number}, {title}: {score}": "Aufgabe {number}, {title}: {score}",
    "{points} of {out_of} points": "{points} von {out_of} Punkten",
    "{points} of {out_of} point": "{points} von {out_of} Punkt",
    "{points} points": "{points} Punkte",
    "{points} point": "{points} Punkt",
    "Start it: {command}": "Beginnen: {command}",
    "Wrote {file}. Open it in an editor, then: {command}": "{file} ist geschrieben. Im Editor öffnen, dann: {command}",
    "Hint {step} of {last} for exercise {number}:": "Tipp {step} von {last} zu Aufgabe {number}:",
    "The next one: {command}": "Der nächste: {command}",
    "That was the last one. The solution: {command}": "Das war der letzte. Die Lösung: {command}",
    "That was the last one.": "Das war der letzte.",
    "Full marks.": "Volle Punktzahl.",
    "A hint: {command}": "Ein Tipp: {command}",
    "It printed {lines} lines while it was graded; the first: {first}": (
        "Beim Bewerten wurden {lines} Zeilen ausgegeben; die erste: {first}"
    ),
    "right": "richtig",
    "wrong": "falsch",
    "open": "offen",
    "student": "Name",
    "ex {number}": "A{number}",
    "total": "Summe",
    "first to mend": "zuerst zu verbessern",
    "notes": "Bemerkungen",
    "not in the roster": "nicht in der Liste",
    "{files} files for exercise {number}, the best counts": "{files} Dateien zu Aufgabe {number}, die beste zählt",
    "late: {file}": "zu spät: {file}",
    "not graded: {file}": "nicht bewertet: {file}",
    "{file} answers no exercise": "{file} gehört zu keiner Aufgabe",
    "{file} answers exercise {number}, not asked for": "{file} gehört zu Aufgabe {number}, die nicht gefragt war",
    "nothing handed in": "nichts abgegeben",
    "in a way that has no name": "auf eine Weise, die keinen Namen hat",
    "Write the bodies of the functions below. The examples (>>>) show what they must give; try them:": (
        "Schreibe die Rümpfe der Funktionen. Die Beispiele (>>>) zeigen, was sie ergeben müssen; probiere sie aus:"
    ),
    "Then ask for a hint, or have it graded (points: {points}):": (
        "Dann lass dir einen Tipp geben oder die Lösung bewerten (Punkte: {points}):"
    ),
    "write your answer here": "hier steht deine Antwort",
    # What is said of an answer
    "not written yet": "noch nicht geschrieben",
    "there is no function {name} in the file": "in der Datei gibt es keine Funktion {name}",
    "there is no class {name} in the file": "in der Datei gibt es keine Klasse {name}",
    "the file does not run: {why}": "die Datei läuft nicht: {why}",
    "the file, when it is loaded, {why}": "die Datei lädt nicht: {why}",
    "the file takes more than {seconds:g} s as a whole": "die Datei braucht im Ganzen mehr als {seconds:g} s",
    "right on {}": "richtig für {}",
    "{first} and {last}": "{first} und {last}",
    "{yours} where {right} belongs{place}, on {case}": "{yours} statt {right}{place}, für {case}",
    "shape {yours} where {right} belongs, on {case}": "Form {yours} statt {right}, für {case}",
    "rounded to {digits} decimals; return every digit": "auf {digits} Stellen gerundet; gib jede Stelle zurück",
    "computed in float32; use float64 throughout": "in float32 gerechnet; rechne durchweg in float64",
    "gives the same numbers whatever it is given; compute them from the arguments": (
        "gibt immer dieselben Zahlen zurück; berechne sie aus den Argumenten"
    ),
    "must have the shape {shape}{of}; yours has {yours}": "muss die Form {shape} haben{of}; deine ist {yours}",
    "is not finite: {value}{place}{where}": "ist nicht endlich: {value}{place}{where}",
    "seen on {case}": "gesehen für {case}",
    "with this mistake the formula gives exactly yours, for two random g": (
        "mit diesem Fehler ergibt die Formel genau deine Werte, für zwei zufällige g"
    ),
    ", on {case}": ", für {case}",
    " at [{index}]": " an der Stelle [{index}]",
    "returns None: the return statement is missing, or was not reached": (
        "gibt None zurück: return fehlt oder wurde nicht erreicht"
    ),
    "returns {got} where numbers belong": "gibt keine Zahlen zurück, sondern: {got}",
    "returns {got} values where {wanted} belong: {names}, in this order": (
        "gibt {got} Werte zurück statt {wanted}: {names}, in dieser Reihenfolge"
    ),
    "returns {got} where {wanted} belong: {names}, in this order": (
        "gibt keine {wanted} Werte zurück: {names}, in dieser Reihenfolge; sondern: {got}"
    ),
    "a {kind}": "{kind}",
    "an {kind}": "{kind}",
    "an array of {kind}": "ein Array von {kind}",
    "changes its arguments; work on a copy (x = x - 1 in place of x -= 1)": (
        "verändert ihre Argumente; arbeite mit einer Kopie (x = x - 1 statt x -= 1)"
    ),
}

LANGUAGES: Mapping[str, Language] = MappingProxyType(
    {"en": Language("en"), "de": Language("de", ",", ".", MappingProxyType(_GERMAN))}
)
"""The languages by code."""

_SPOKEN: ContextVar[Language] = ContextVar("spoken", default=LANGUAGES["en"])


def spoken() -> Language:
    """Return the language of the block; English outside of any."""
    return _SPOKEN.get()


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Let the labels inside the block be in the language with this code.

    >>> with speaking("de"):
    ...     say("Step {number}. {title}", number=1, title="Mittelwert")
    'Schritt 1. Mittelwert'
    """
    token = _SPOKEN.set(LANGUAGES[code])
    try:
        yield
    finally:
        _SPOKEN.reset(token)


def say(label: str, *more: object, **values: object) -> str:
    """Return an English label in the language of the block, with its fields filled in."""
    return spoken().words.get(label, label).format(*more, **values)


def require_language(code: str) -> None:
    """Raise ValueError if there is no such language."""
    if code not in LANGUAGES:
        raise ValueError(f"lang must be one of {', '.join(LANGUAGES)}; got {code!r}")
