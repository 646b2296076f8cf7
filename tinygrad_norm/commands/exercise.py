"""Do the lecture, and build an engine: exercises with hints, graded by naming the mistake."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from ..errors import FileError, InputError
from ..lessons.exercises.class_files import HandedIn, find_submissions, read_roster
from ..lessons.exercises.class_report import (
    class_data,
    class_text,
    feedback,
    gradescope,
    mistakes_text,
    points_csv,
    similar_text,
)
from ..lessons.exercises.exercise_files import command, file_name, recognize, stub_text
from ..lessons.exercises.exercise_parts import Exercise
from ..lessons.exercises.exercise_report import (
    exercise_data,
    exercise_text,
    grade_data,
    grade_text,
    hint_data,
    hint_text,
    list_data,
    list_text,
)
from ..lessons.exercises.grading import SECONDS, grade_file
from ..lessons.exercises.grading_a_class import Class, grade_class
from ..lessons.exercises.locks import is_locked
from ..lessons.exercises.tasks import EXERCISES, find_exercise
from ..lessons.from_file import sound_exercises_of
from ..lessons.languages import say, speaking
from ..sandbox import Protection, protection
from ..terminal.files import shown_name, whole_text
from ..terminal.progress import Progress
from .argument_types import offer, point_in_time, seconds, whole_number
from .workers import configure as configure_workers
from .workers import processors, workers

Action = Callable[[argparse.Namespace], int]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")

    def action(name: str, act: Action, what: str, of_one: bool = True) -> Callable[..., argparse.Action]:
        """Add an action, of one exercise or of several; return what adds its arguments."""
        chosen = actions.add_parser(name, help=what)
        chosen.set_defaults(act=act)
        if of_one:
            which = chosen.add_argument("exercise", metavar="N", help="number or name of the exercise")
            offer(which, [exercise.slug for exercise in EXERCISES.values()])
        own = "the exercises that a Python file of a teacher's defines, in place of the course's"
        chosen.add_argument("--from", dest="source", metavar="MY.py", help=own)
        return chosen.add_argument

    add = action("list", _list, "the exercises, a line each", of_one=False)
    add("--json", action="store_true", help="print them as JSON")
    add = action("show", _show, "what an exercise asks")
    add("--solution", action="store_true", help="print the reference solution instead")
    add("--json", action="store_true", help="print it as JSON")
    add = action("start", _start, "write the file to start from")
    add("folder", metavar="DIR", nargs="?", default=".", help="where to (default: here)")
    add("--force", action="store_true", help="replace the file if it exists")
    add = action("hint", _hint, "a hint, one at a time")
    add("--step", metavar="K", type=whole_number(1), default=1, help="which hint (default: 1)")
    add("--json", action="store_true", help="print it as JSON")
    add = action("grade", _grade, "grade a file, or a folder with the files of a class", of_one=False)
    add("path", metavar="FILE|DIR", help="a file that answers an exercise, or a folder of them")
    add("--exercise", metavar="N", help="which exercise FILE answers (default: as its first line or its name says)")
    add("--json", action="store_true", help="print every verdict as JSON")
    limit = f"how long a call may take; a file as a whole has six times as long (default: {SECONDS:g})"
    add("--seconds", metavar="S", type=seconds, default=SECONDS, help=limit)
    add("--seed", metavar="SEED", type=whole_number(0), default=0, help="of the random data (default: 0)")
    add("--require-cage", action="store_true", help="refuse to grade where bubblewrap does not work")
    _configure_class(add)


def _configure_class(add: Callable[..., argparse.Action]) -> None:
    """Add what only a folder takes."""
    configure_workers(add, "files of DIR are graded", "one for each processor")
    add("--exercises", metavar="N,N", help="grade only these; files of others are told of")
    add("--roster", metavar="FILE", type=Path, help="a CSV file with the names of the class: each gets a row")
    due = "what was last written later, such as 2026-11-20T18:00, is told of"
    add("--due", metavar="TIME", type=point_in_time, help=due)
    add("--csv", metavar="FILE", type=Path, help="write a row a student, a column a point")
    add("--feedback", metavar="OUT", type=Path, help="write a Markdown file a student into this folder")
    add("--gradescope", metavar="FILE", type=Path, help="write results.json for Gradescope; DIR is one student's")
    add("--stats", action="store_true", help="print which mistakes were made, and by how many")
    add("--similar", action="store_true", help="print which files are copies of one another")


def run(args: argparse.Namespace) -> int:
    """Do what the action says."""
    act: Action = args.act
    return act(args)


def _exercises(args: argparse.Namespace) -> Mapping[int, Exercise]:
    return EXERCISES if args.source is None else sound_exercises_of(args.source)


def _chosen(args: argparse.Namespace) -> Exercise:
    return find_exercise(args.exercise, _exercises(args))


def _list(args: argparse.Namespace) -> int:
    exercises = tuple(_exercises(args).values())
    print(_json(list_data(exercises)) if args.json else list_text(exercises), end="")
    return 0


def _show(args: argparse.Namespace) -> int:
    exercise = _chosen(args)
    if args.solution and is_locked(exercise):
        raise InputError(
            f"the solution of exercise {exercise.number} must not be locked to be shown; it is, by the teacher. "
            f"Ask for a hint: {command(exercise, 'hint', exercise.number)}"
        )
    if args.json:
        print(_json(exercise_data(exercise, args.solution)), end="")
        return 0
    print(exercise.solution.strip() + "\n" if args.solution else exercise_text(exercise), end="")
    if args.solution and exercise is EXERCISES.get(10):
        print("\n# What the engine writes out for the same function (tinygrad-norm program layer_norm):\n#")
        print("".join(f"# {line}".rstrip() + "\n" for line in engines_answer().splitlines()[3:]), end="")
    return 0


def engines_answer() -> str:
    """Return layer norm as the engine writes it out."""
    from ..lessons.program_examples import EXAMPLES  # for this one exercise
    from ..program import program

    function, arguments = EXAMPLES["layer_norm"]
    return program(function, *arguments).source


def _start(args: argparse.Namespace) -> int:
    exercise = _chosen(args)
    folder = Path(args.folder)
    path = folder / file_name(exercise)
    if os.path.lexists(path) and not args.force:
        raise FileError(
            f"{shown_name(str(path))} must not exist yet, so that no work is lost; it does. "
            "Name another folder, or give --force to start over."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            f"{shown_name(args.folder)} must be a folder; got {error.strerror}. Name another one."
        ) from None
    with whole_text(path) as file:
        file.write(stub_text(exercise))
    shown = shown_name(str(path))
    grade = command(exercise, "grade", shown)
    with speaking(exercise.lang):
        print(say("Wrote {file}. Open it in an editor, then: {command}", file=shown, command=grade))
    return 0


def _hint(args: argparse.Namespace) -> int:
    exercise = _chosen(args)
    if args.step > len(exercise.hints):
        raise InputError(f"--step must be 1 to {len(exercise.hints)} for exercise {exercise.number}; got {args.step}.")
    print(_json(hint_data(exercise, args.step)) if args.json else hint_text(exercise, args.step), end="")
    return 0


def _grade(args: argparse.Namespace) -> int:
    path, exercises = Path(args.path), _exercises(args)
    if args.require_cage and protection() is not Protection.CAGE:
        raise InputError("--require-cage needs bubblewrap, which is not installed or does not work here. Install it.")
    if path.is_dir():
        return _grade_class(args, path, exercises)
    for option in ("jobs", "dask", "exercises", "roster", "due", "csv", "feedback", "gradescope", "stats", "similar"):
        if getattr(args, option):
            raise InputError(f"--{option} is for a folder of files; got one file. Leave it out.")
    grade = grade_file(path, _exercise_of(path, args.exercise, exercises), args.seed, args.seconds)
    told = {**grade_data(grade), "protection": protection().value}
    print(_json(told) if args.json else grade_text(grade), end="")
    return 0 if grade.full else 1


def _exercise_of(path: Path, given: str | None, exercises: Mapping[int, Exercise]) -> Exercise:
    """Return the exercise that a file answers; the file must be one that can be read."""
    try:
        recognized = recognize(path, exercises)
    except OSError as error:
        raise FileError(
            f"{shown_name(str(path))} must be a file that can be read; got {error.strerror}. "
            "See tinygrad-norm exercise start -h."
        ) from None
    if given is not None:
        return find_exercise(given, exercises)
    if recognized is None:
        raise InputError(
            f"{shown_name(str(path))} must say which exercise it answers, in its first line or its name; it does not. "
            "Give --exercise N, or --from MY.py if it is one of a teacher's file."
        )
    return recognized


def _grade_class(args: argparse.Namespace, folder: Path, exercises: Mapping[int, Exercise]) -> int:
    if args.exercise is not None:
        raise InputError("--exercise is for a single file; got a folder. Choose with --exercises N,N.")
    roster = None if args.roster is None else read_roster(args.roster)
    asked = {find_exercise(name, exercises).number for name in (args.exercises or "").split(",") if name}
    handed_in = find_submissions(folder, exercises, asked, args.due, roster)
    if args.gradescope is not None and len({s.student for s in handed_in.submissions}) > 1:
        raise InputError("--gradescope is for the files of one student; got several. Call it once for each.")
    for stray in handed_in.nobodys:
        print(f"{shown_name(str(stray.path))}: answers no exercise, left out", file=sys.stderr)
    print(f"Graded under {protection().value}.", file=sys.stderr)
    jobs = args.jobs or processors()
    many = len(handed_in.submissions) >= 4 * jobs  # worth the start of processes
    with Progress(sys.stderr) as progress, workers(jobs, args.dask, processes=many) as executor:
        graded = grade_class(handed_in, args.seed, args.seconds, executor, progress)
    print(_json(class_data(graded, protection().value)) if args.json else class_text(graded), end="")
    _write_reports(args, graded, handed_in)
    if not graded.complete:
        print("Stopped before the end: what was graded by then is above.", file=sys.stderr)
        return 130
    return 0 if all(graded.is_full(student) for student in graded.students) else 1


def _write_reports(args: argparse.Namespace, graded: Class, handed_in: HandedIn) -> None:
    """Write and print what else is wished."""
    if args.stats:
        print("\n" + mistakes_text(graded), end="")
    if args.similar:
        print("\n" + similar_text(handed_in.submissions), end="")
    written = [(args.csv, points_csv(graded))] if args.csv else []
    if args.gradescope:
        written.append((args.gradescope, _json(gradescope(graded))))
    if args.feedback:
        try:
            args.feedback.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"--feedback must name a folder; got {error.strerror}. Name another one.") from None
        written += [(args.feedback / name, text) for name, text in feedback(graded)]
    for path, text in written:
        with whole_text(path) as file:
            file.write(text)


def _json(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
