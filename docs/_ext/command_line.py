"""The reference of the command line, from its parsers: what ``--help`` knows, as Markdown."""

from __future__ import annotations

import argparse
import inspect
import re

from markdown_table import code, plain, table

from tinygrad_norm.cli import build_parser

OPTION = re.compile(r"(--[a-z][\w-]*(?:=[^\s)]+)?)")


def command_line() -> str:
    """Return a section for every subcommand."""
    parser = build_parser()
    return "\n".join(section(name, sub, depth=2) for name, sub in subcommands(parser).items())


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return a parser's subcommands by name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def section(name: str, parser: argparse.ArgumentParser, depth: int) -> str:
    """Return the section of one command and, below it, of its own subcommands."""
    parts = [
        f"{'#' * depth} {name}",
        inspect.cleandoc(parser.description or ""),
        f"```text\n{usage(parser)}\n```",
    ]
    rows = [(names(a), describe(a)) for a in parser._actions if shown(a)]
    if rows:
        parts.append(table(("argument", "meaning"), rows))
    if parser.epilog:
        parts.append(inspect.cleandoc(parser.epilog))
    parts += [section(f"{name} {inner}", sub, depth + 1) for inner, sub in subcommands(parser).items()]
    return "\n\n".join(parts) + "\n"


def usage(parser: argparse.ArgumentParser) -> str:
    """Return the usage line, wrapped the same whatever terminal the build runs in."""
    formatter = argparse.HelpFormatter(parser.prog, width=88)
    formatter.add_usage(parser.usage, parser._actions, parser._mutually_exclusive_groups, prefix="")
    return formatter.format_help().strip()


def shown(action: argparse.Action) -> bool:
    """Return whether an argument belongs into the table."""
    return action.help != argparse.SUPPRESS and not isinstance(
        action, (argparse._HelpAction, argparse._SubParsersAction)
    )


def names(action: argparse.Action) -> str:
    """Return what is typed: ``--step N``, ``FILE``."""
    value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.choices is not None and action.metavar is None:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    if not action.option_strings:
        return code(value)
    takes_value = "" if action.nargs == 0 else f" {value}"
    return ", ".join(code(f"{option}{takes_value}") for option in action.option_strings)


def describe(action: argparse.Action) -> str:
    """Return an argument's help with argparse's ``%(default)s`` and its like filled in."""
    values = {**vars(action), "prog": ""}
    if action.choices is not None:
        values["choices"] = ", ".join(map(str, action.choices))
    # An option that the help names is set as code, so that its hyphens stay hyphens.
    parts = OPTION.split((action.help or "") % values)
    return "".join(code(part) if OPTION.fullmatch(part) else spaced(part) for part in parts)


def spaced(text: str) -> str:
    """Return text as it stands, with the blanks at its ends, which part it from what is set as code."""
    left, right = " " * text.startswith((" ", "\n")), " " * text.endswith((" ", "\n"))
    return f"{left}{plain(text)}{right}" if text.strip() else text
