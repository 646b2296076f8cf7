"""The house: each room imports only from rooms above it, and never in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "tinygrad_norm"

# From the ground up; a room may import from every room named before it. A folder is one room unless its files are
# listed. ``__init__`` is the front door and ``__main__`` the back door.
ROOMS = [
    "errors",
    "pytorch_names",
    "numpy_refused",
    "samples",
    "display",
    "random",
    "memory",
    "terminal",
    "sandbox",
    "engine.details.array",
    "engine.details.saving",
    "engine.details.summation",
    "engine.complaints",
    "engine.primitive",
    "engine.primitives",
    "engine.tape",
    "engine.details.leaving",
    "engine.sweep",
    "engine.numpy_dispatch",
    "engine.operators",
    "engine.tensor",
    "engine.details",
    "engine",
    "context",
    "ops",
    "transforms",
    "functional",
    "nn",
    "optim",
    "io",
    "gradcheck",
    "viz",
    "program",
    "lessons",
    "commands",
    "cli",
    "pytest_plugin",
    "pytest_exercises",
    "__main__",
]


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(p for p in parts if p != "__init__")


def room_of(name: str) -> str:
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        if ".".join(parts[:end]) in ROOMS:
            return ".".join(parts[:end])
    pytest.fail(f"tinygrad_norm/{name} belongs to no room: add it to ROOMS, below what it imports")


def for_types_only(node: ast.AST) -> bool:
    """Whether this is a block that only a type checker reads, so that nothing in it is imported."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Everything in a file but what stands in blocks for type checkers."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and for_types_only(node):
            yield from (inner for other in node.orelse for inner in [other, *statements(other)])
        else:
            yield node
            yield from statements(node)


def imports_of(path: Path, package: str) -> list[str]:
    """The modules of this package that a file imports, wherever in the file, as names below it."""
    names = []
    for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = package.split(".") if package else []
            base = base[: len(base) - (node.level - 1)] if node.level else []
            if node.level == 0:
                if not (node.module or "").startswith("tinygrad_norm"):
                    continue
                prefix = (node.module or "").removeprefix("tinygrad_norm").lstrip(".")
            else:
                prefix = ".".join([*base, *(node.module.split(".") if node.module else [])])
            for alias in node.names:
                whole = f"{prefix}.{alias.name}".lstrip(".")
                target = PACKAGE.joinpath(*whole.split("."))
                names.append(whole if target.is_dir() or target.with_suffix(".py").exists() else prefix)
        elif isinstance(node, ast.Import):
            ours = [a.name for a in node.names if a.name.split(".")[0] == "tinygrad_norm"]
            names += [name.removeprefix("tinygrad_norm").lstrip(".") for name in ours]
    return [n for n in names if n]


@cache
def arrows() -> list[tuple[str, str]]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = module_name(path)
        if not name:
            continue
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        found += [(name, target) for target in imports_of(path, package)]
    return found


def test_no_import_runs_back_up_the_house() -> None:
    wrong = [
        f"{source} imports {target}"
        for source, target in arrows()
        if ROOMS.index(room_of(target)) > ROOMS.index(room_of(source))
    ]
    assert not wrong


def test_there_is_no_import_cycle() -> None:
    graph: dict[str, set[str]] = {}
    for source, target in arrows():
        graph.setdefault(source, set()).add(target)
    done: set[str] = set()
    for start in graph:
        path: list[tuple[str, list[str]]] = [(start, sorted(graph.get(start, ())))]
        while path:
            name, rest = path[-1]
            if not rest:
                done.add(name)
                path.pop()
                continue
            follower = rest.pop()
            on_path = [n for n, _ in path]
            inside = follower.startswith(name + ".") or name.startswith(follower + ".")
            assert follower not in on_path or inside, f"cycle: {[*on_path, follower]}"
            if follower not in done and follower not in on_path:
                path.append((follower, sorted(graph.get(follower, ()))))


def test_an_upward_arrow_would_be_found(tmp_path: Path) -> None:
    planted = tmp_path / "tape.py"
    planted.write_text("def f():\n    from .functional.norm import layer_norm\n")
    (target,) = imports_of(planted, "")
    assert target == "functional.norm"
    assert ROOMS.index(room_of(target)) > ROOMS.index("engine.tape")


def test_an_import_for_type_checkers_is_none(tmp_path: Path) -> None:
    planted = tmp_path / "tape.py"
    planted.write_text(
        "if TYPE_CHECKING:\n    from .engine.tensor import Tensor\nelse:\n    from .nn import Linear\n"
        "if DEBUG:\n    from .viz import draw\n"
    )
    assert imports_of(planted, "") == ["nn", "viz"]
