"""Expressions to draw, from people and programs that are not trusted: arithmetic and named functions, nothing else.

``x * sin(y) + mean(z, axis=-1)`` is read with Python's own parser and evaluated by walking the tree over a list of
what is allowed. There are no builtins, no attributes and no way to define or import anything.
"""

from __future__ import annotations

import ast
import inspect
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import functional
from ..engine.primitive import FUNCTIONS, load_late
from ..engine.tensor import Tensor
from ..errors import InputError, TinygradNormError
from ..terminal.spelling import did_you_mean

LONGEST, MOST_PARTS, DEEPEST = 2000, 400, 60
LARGEST_NUMBER, MOST_ENTRIES, MOST_WORK = 10_000, 100_000, 10**8
"""A whole number in an expression may be a size; so many entries a part of it may have, so many products einsum."""

NUMPY_NAMES = """
absolute add arctan concatenate cos cosh cumsum divide dot einsum erf exp expm1 floor log log1p logaddexp matmul max
maximum mean min minimum multiply negative outer power prod reciprocal reshape sign sin sinh sqrt square stack std
subtract sum swapaxes tan tanh transpose var where
"""

BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.MatMult: operator.matmul,
    ast.Pow: operator.pow,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
OPERATORS = (*BINARY, ast.UAdd, ast.USub, ast.cmpop)
STRUCTURE = (ast.BinOp, ast.UnaryOp, ast.Subscript, ast.Slice, ast.Tuple, ast.List, ast.keyword, ast.expr_context)
"""What an expression may be made of, besides names, constants, calls and one comparison at a time."""


def allowed_functions() -> dict[str, Callable[..., Any]]:
    """Return the functions that an expression may call, by name."""
    load_late()
    found = {name: FUNCTIONS[name] for name in NUMPY_NAMES.split()}
    composed = {n: getattr(functional, n) for n in functional.__all__ if callable(getattr(functional, n))}
    return {**found, **composed, "abs": FUNCTIONS["absolute"]}


@dataclass(frozen=True)
class Expression:
    """A checked expression: its source, and the names it uses in order of appearance."""

    source: str
    tree: ast.expr
    names: tuple[str, ...]

    def function(self) -> Callable[..., Tensor]:
        """Return the expression as a function of its names."""

        def evaluate_at(*values: Any) -> Tensor:
            result = evaluate(self.tree, dict(zip(self.names, values, strict=True)), allowed_functions())
            if not isinstance(result, Tensor):
                raise InputError(
                    f"an expression must compute with its arrays; got {result!r}. Use a name, as in x * 2."
                )
            return result

        evaluate_at.__name__ = self.source
        evaluate_at.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what inspect.signature() reads
            [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in self.names]
        )
        return evaluate_at


def parse(source: str) -> Expression:
    """Return an expression after checking all of it; an InputError quotes the part that is not allowed.

    >>> parse("x * sin(y) + x").names
    ('x', 'y')
    >>> parse("x.data")
    Traceback (most recent call last):
    tinygrad_norm.errors.InputError: an expression must be made of ...; got the attribute 'x.data'. ...
    """
    if len(source) > LONGEST:
        raise InputError(f"an expression must have at most {LONGEST} characters; got {len(source)}. Write a script.")
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = getattr(error, "msg", None) or str(error) or type(error).__name__
        raise InputError(
            f"an expression must be one that Python can read; got {source[:60]!r}: {reason}. "
            "Write for example 'x * x + sin(y)'."
        ) from None
    nodes = list(ast.walk(tree))
    deep = nesting_of(tree)
    if len(nodes) > MOST_PARTS or deep > DEEPEST:
        raise InputError(
            f"an expression must have at most {MOST_PARTS} parts, nested at most {DEEPEST} deep; got {len(nodes)}, "
            f"{deep} deep. Write a script."
        )
    functions = allowed_functions()
    called = {id(n.func) for n in nodes if isinstance(n, ast.Call)}
    for node in nodes:
        check_part(node, functions, id(node) in called)
    in_order = sorted(
        (n for n in nodes if isinstance(n, ast.Name) and id(n) not in called), key=lambda n: (n.lineno, n.col_offset)
    )
    return Expression(source.strip(), tree, tuple(dict.fromkeys(n.id for n in in_order)))


def nesting_of(tree: ast.AST) -> int:
    """Return how deep the parts of an expression are nested."""
    level, deep = [tree], 0
    while level:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        deep += 1
    return deep


def check_part(node: ast.AST, functions: Mapping[str, Any], called: bool) -> None:
    """Raise unless a part of an expression is allowed."""
    if isinstance(node, (*STRUCTURE, *OPERATORS)):
        return
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARISONS:
        return
    if isinstance(node, ast.Name):
        if called == (node.id in functions):
            return
        if called:
            raise InputError(
                f"an expression must call documented functions; got {node.id!r}.{did_you_mean(node.id, functions)} "
                f"There are {', '.join(sorted(functions))}."
            )
        raise InputError(f"the function {node.id} must be called; write {node.id}(x).")
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and all(k.arg for k in node.keywords):
        return
    if isinstance(node, ast.Constant) and type(node.value) is int and abs(node.value) > LARGEST_NUMBER:
        raise InputError(
            f"a whole number in an expression must be at most {LARGEST_NUMBER:,}; got {ast.unparse(node)[:20]}. "
            "Write a large one with a decimal point, such as 1e6."
        )
    if isinstance(node, ast.Constant) and (node.value is None or node.value is ... or type(node.value) in CONSTANTS):
        return
    kind = type(node).__name__
    raise InputError(
        f"an expression must be made of names, numbers, operators and functions; got the {SPOKEN.get(kind, kind)} "
        f"{ast.unparse(node)[:60]!r}. Write for example 'layer_norm(z, 3)'."
    )


CONSTANTS = (bool, int, float, str)
SPOKEN = {"Attribute": "attribute", "Call": "call", "Constant": "constant"}


def evaluate(node: ast.expr, names: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
    """Return the value of a checked part; not nested too deep, since :func:`parse` counted."""

    def value(part: ast.expr) -> Any:
        return evaluate(part, names, functions)

    match node:
        case ast.Name(id=name):
            return names[name]
        case ast.Constant(value=constant):
            return constant
        case ast.Tuple(elts=parts):
            return tuple(value(p) for p in parts)
        case ast.List(elts=parts):
            return [value(p) for p in parts]
        case ast.UnaryOp(op=op, operand=part):
            operand = value(part)
            return guarded(lambda: -operand if isinstance(op, ast.USub) else +operand, node)
        case ast.BinOp(left=left, op=op, right=right):
            return combined(BINARY[type(op)], computed(value(left), node), computed(value(right), node), node)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return combined(COMPARISONS[type(op)], computed(value(left), node), computed(value(right), node), node)
        case ast.Subscript(value=part, slice=index):
            return combined(operator.getitem, computed(value(part), node), value(index), node)
        case ast.Slice(lower=lower, upper=upper, step=step):
            return slice(*(None if end is None else value(end) for end in (lower, upper, step)))
    # check_part() lets nothing through besides but the call of a named function.
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    name = node.func.id
    given = {k.arg: value(k.value) for k in node.keywords if k.arg}
    arguments = [value(a) for a in node.args]
    if name == "einsum":
        require_little_work(arguments, node)
    return guarded(lambda: functions[name](*arguments, **given), node)


def combined(operation: Callable[[Any, Any], Any], left: Any, right: Any, node: ast.expr) -> Any:
    """Return an operation's result; two plain numbers are floats, whose powers cannot grow without end."""
    plain = (bool, int, float)
    if isinstance(left, plain) and isinstance(right, plain):
        left, right = float(left), float(right)
    return guarded(lambda: operation(left, right), node)


def computed(value: Any, node: ast.expr) -> Any:
    """Return an operand; text and lists are arguments of functions and nothing to compute with."""
    if isinstance(value, (str, list, tuple)):
        raise InputError(
            f"an expression must compute with arrays and numbers; {shortened(node)} has a {type(value).__name__} as an "
            "operand. Use a name, as in x * 2."
        )
    return value


def require_little_work(arguments: list[Any], node: ast.expr) -> None:
    """Refuse an einsum of more products than an example needs; what is no einsum at all says so itself."""
    if not arguments or not isinstance(arguments[0], str):
        return
    terms = arguments[0].partition("->")[0].split(",")
    sizes = {
        letter: size
        for term, operand in zip(terms, arguments[1:], strict=False)
        for letter, size in zip(term.strip(), getattr(operand, "shape", ()), strict=False)
    }
    if math.prod(sizes.values()) > MOST_WORK:
        raise InputError(
            f"a part of an expression must take at most {MOST_WORK:,} products; {shortened(node)} takes "
            f"{math.prod(sizes.values()):,}. Write a script."
        )


def shortened(node: ast.expr) -> str:
    """Return a part of an expression as it is quoted."""
    return repr(ast.unparse(node)[:60])


def guarded(compute: Callable[[], Any], node: ast.expr) -> Any:
    """Return what a part of an expression gives; an error of Python's becomes one of ours, which quotes the part."""
    try:
        result = compute()
    except TinygradNormError:
        raise
    except (TypeError, ValueError, ArithmeticError, LookupError, MemoryError) as error:
        raise InputError(
            f"every part of an expression must have a value; {shortened(node)} has none: {str(error)[:200]}. "
            "Look up the function's arguments with help()."
        ) from None
    if isinstance(result, Tensor) and result.size > MOST_ENTRIES:
        raise InputError(
            f"a part of an expression must have at most {MOST_ENTRIES:,} entries; {shortened(node)} has "
            f"{result.size:,}. Write a script."
        )
    return result
