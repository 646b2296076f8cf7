"""What ``help(tg.exp)`` and ``tg.exp?`` show of a primitive, made from its declaration."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inspect import Signature

    from ..primitive import Primitive


def signature_of(made: Primitive) -> Signature:
    """Return how a primitive is called: ``(x, /, axis=None, keepdims=False)``."""
    from inspect import Parameter, Signature  # when it is asked for only

    kind = Parameter.VAR_POSITIONAL if made.variadic else Parameter.POSITIONAL_ONLY
    option = Parameter.KEYWORD_ONLY if made.variadic else Parameter.POSITIONAL_OR_KEYWORD
    inputs = [Parameter(name, kind) for name in made.inputs]
    return Signature([*inputs, *(Parameter(name, option, default=d) for name, d in made.defaults.items())])


class SignatureWhenAsked:
    """``__signature__``, for which :mod:`inspect` and editors ask a primitive, and which the class does not have."""

    def __get__(self, made: Primitive | None, owner: type) -> Signature:
        if made is None:
            raise AttributeError("__signature__")
        return signature_of(made)


def documentation_of(made: Primitive) -> str:
    """Return a primitive's docstring: its call, its formula, the cotangent of each input, and its kinks."""
    defaults = [f"{name}={default!r}" for name, default in made.defaults.items()]
    call = [f"*{made.inputs[0]}"] if made.variadic else [*made.inputs, "/"]
    inputs = ["of each input"] if made.variadic else made.inputs
    rules = [f"    {name}: {rule or 'none'}" for name, rule in zip(inputs, made.rule, strict=False)]
    parts = [f"{made.name}({', '.join(call + defaults)})", f"Return {made.formula or 'the result of this operation'}."]
    parts += ["Works entry by entry; the inputs broadcast."] if made.elementwise else []
    parts += ["Cotangents (ḡ is that of the result, out):\n\n" + "\n".join(rules)] if rules else []
    return "\n\n".join([*parts, *([made.note] if made.note else [])])
