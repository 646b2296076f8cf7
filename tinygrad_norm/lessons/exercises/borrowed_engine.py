"""Where an engine is to be written, none may be brought along: found in the text of a file, before it runs.

An import that is hidden is refused when it is run, by the process of the answer.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from threading import Lock

OURS = "tinygrad_norm"
ENGINES = frozenset(
    f"{OURS} aesara algopy autodiff autograd casadi chainer dezero equinox flax haiku jax jaxlib "
    "keras lightning micrograd mindspore minitorch mlx mxnet mygrad needle optax paddle pytensor pytorch_lightning "
    "tangent tensorflow theano tinygrad tinytorch torch torchvision".split()
)
"""Packages that differentiate, by the name that is imported."""

_PARSING = Lock()
"""Python 3.11 counts the depth of all trees together: two that are built at once fail."""

_IMPORTING = frozenset({"__import__", "import_module"})


def imported_engine(source: bytes) -> str | None:
    """Return what is to be said of a file that imports a package that differentiates, None if it does not.

    What is no Python imports nothing.
    """
    try:
        with _PARSING:
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found = [(line, name) for node in ast.walk(tree) for line, name in _imports(node) if name in ENGINES]
    return None if not found else f"line {min(found)[0]}: {_in_words(min(found)[1])}"


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


def _roots(modules: Iterable[str]) -> frozenset[str]:
    return frozenset(module.partition(".")[0] for module in modules)
