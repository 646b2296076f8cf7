"""Where an engine is to be written, none may be brought along.

:func:`imported_engine` finds one in the text of a file, :func:`engine_behind` in what running it brought along. This
tells a learner what is asked; it is no guard against somebody who hides an import.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

OURS = "tinygrad_norm"
ENGINES = frozenset(
    f"{OURS} aesara algopy autodiff autograd casadi chainer dezero equinox flax haiku jax jaxlib "
    "keras lightning micrograd mindspore minitorch mlx mxnet mygrad needle optax paddle pytensor pytorch_lightning "
    "tangent tensorflow theano tinygrad tinytorch torch torchvision".split()
)
"""Packages that differentiate, by the name that is imported."""

_IMPORTING = frozenset({"__import__", "import_module"})


def imported_engine(file: str) -> str | None:
    """Return what is to be said of a file that imports a package that differentiates, None if it does not.

    A file that cannot be read, or is no Python, imports nothing.
    """
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found = [(line, name) for node in ast.walk(tree) for line, name in _imports(node) if name in ENGINES]
    return None if not found else f"line {min(found)[0]}: {_in_words(min(found)[1])}"


def engine_behind(names: Mapping[str, Any], new_modules: Collection[str]) -> str | None:
    """Return the same of a file that was run: what it defines, and which modules were loaded meanwhile, tell."""
    found = _roots(map(_module_of, names.values())) & ENGINES or _roots(new_modules) & ENGINES
    return f"{_in_words(min(found))}, by way of another file" if found else None


def _in_words(name: str) -> str:
    whose = "this package" if name == OURS else f"{name}, a package that differentiates"
    return f"imports {whose}: here the engine itself is to be written, with NumPy alone"


def _imports(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and first name of each module that a piece of a program imports."""
    if isinstance(node, ast.Import):
        yield from ((node.lineno, name) for name in _roots(alias.name for alias in node.names))
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield from ((node.lineno, name) for name in _roots([node.module]))
    elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in _IMPORTING:
            yield from ((node.lineno, name) for name in _roots([str(node.args[0].value)]))


def _module_of(value: Any) -> str:
    module = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "")
    return module if isinstance(module, str) else ""


def _roots(modules: Iterable[str]) -> frozenset[str]:
    return frozenset(module.partition(".")[0] for module in modules)
