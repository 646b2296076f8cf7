"""Module: what every layer and every model is. Assign parameters and modules to attributes; define ``forward``.

The one idea: attributes are registered by what they are. A :class:`Parameter` becomes a parameter, a Module a part, a
Tensor registered with ``register_buffer`` a buffer. Everything else (``state_dict``, ``train``, ``astype``, the printed
tree, the path in an error) walks these three tables.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from inspect import signature
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, Protocol, TypeVar

from ..context import no_grad, scope
from ..engine.details.array import Array
from ..engine.tape import STATE
from ..engine.tensor import Tensor, as_tensor
from ..errors import GraphError, InputError, OperandError, TinygradNormError
from ..pytorch_names import KEYWORDS, keyword_hint, kind_of
from .module_tree import (
    StateKeys,
    joined,
    load_state,
    named_entries,
    refuse_hidden,
    state_entries,
    tree_text,
    walk,
)
from .parameter import Parameter, convert, parameter_dtype

if TYPE_CHECKING:
    from typing_extensions import Self

P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class Runnable(Protocol[P, R]):
    """What is needed of a module to call it: a type checker then sees ``layer(x)`` as ``layer.forward(x)``."""

    _place: str

    @abstractmethod
    def label(self) -> str:
        """Return what a drawing calls this kind of module."""

    @abstractmethod
    def forward(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Compute the result."""


class Module:
    """Base of all layers and models.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> class Scale(tg.nn.Module):
    ...     def __init__(self):
    ...         self.factor = tg.nn.Parameter([2.0, 3.0])
    ...
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> layer = Scale()
    >>> layer([1.0, 1.0])
    Tensor([2., 3.], shape=(2,), dtype=float64, op=multiply)
    >>> [name for name, _ in layer.named_parameters()]
    ['factor']
    """

    _is_called: ClassVar[bool] = True
    """Whether it runs itself; a list of modules only keeps those that do."""
    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module]
    _unsaved: set[str]
    _place: str

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Make the tables here, so that a subclass need not call ``super().__init__()``."""
        if kwargs and not kwargs.keys().isdisjoint(KEYWORDS):
            refuse_keywords(cls, kwargs)
        self = super().__new__(cls)
        tables: dict[str, Any] = self.__dict__
        tables.update(training=True, _parameters={}, _buffers={}, _modules={}, _unsaved=set(), _place="")
        return self

    # Running it

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result; every subclass defines it."""
        raise OperandError(
            f"a Module must define forward() to be called; {type(self).__name__} does not. "
            "Write def forward(self, x): ... in the class, or call its parts."
        )

    def __call__(self: Runnable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``forward`` in a scope of this module's name, which drawings, checks and errors show."""
        with scope(self._place, self.label()):
            try:
                return self.forward(*args, **kwargs)
            except TinygradNormError as error:
                add_path(error)
                raise

    def label(self) -> str:
        """Return what a drawing calls this kind of module, for example ``Linear 4→4``."""
        return type(self).__name__

    # Attributes

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter):
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self.add_module(name, value)
        elif name in self._parameters:
            if value is not None:
                raise OperandError(
                    f"{name} must stay a Parameter or become None; got {kind_of(value)}. "
                    f"Write module.{name} = nn.Parameter(...), or module.{name}.data = values."
                )
            self._parameters[name] = None
        elif name in self._buffers:
            self._buffers[name] = None if value is None else as_tensor(value)
        else:
            if refuse_hidden(name, value):
                # Looked at again whenever parameters are asked for.
                self.__dict__.setdefault("_growing", set()).add(name)
            self._modules.pop(name, None)
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        for table in ("_parameters", "_buffers", "_modules"):
            found = self.__dict__.get(table, {})
            if name in found:
                return found[name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __delattr__(self, name: str) -> None:
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                del table[name]
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._parameters, *self._buffers, *self._modules})

    def register_parameter(self, name: str, parameter: Parameter | None) -> None:
        """Make ``parameter`` an attribute and a parameter; None keeps the place and has no entry in a state dict."""
        self._claim(name, self._parameters)
        self._parameters[name] = parameter
        if parameter is not None:
            parameter.name = self._within(name)

    def register_buffer(self, name: str, values: Any, persistent: bool = True) -> None:
        """Make ``values`` an attribute that is saved with the module but not trained.

        With ``persistent=False`` it is not saved either.
        """
        self._claim(name, self._buffers)
        self._buffers[name] = None if values is None else as_tensor(values)
        (self._unsaved.discard if persistent else self._unsaved.add)(name)

    def add_module(self, name: str, module: Module) -> None:
        """Make ``module`` an attribute and a part of this one."""
        # What has no place yet is part of nothing, and need not be searched for.
        if module is self or (self._place and any(part is self for part in module.modules())):
            raise GraphError(
                f"a module must not contain itself; got {type(self).__name__} inside its own attribute {name!r}. "
                "Pass what is above as an argument of forward() instead."
            )
        self._claim(name, self._modules)
        self._modules[name] = module
        module._settle(self._within(name))

    def _within(self, name: str) -> str:
        """Return what to call a part: since a list is not called, the place of its parts includes the list's."""
        return name if self._is_called else joined(self._place, name)

    def _settle(self, place: str) -> None:
        """Take the name that the parent gave; the parameters take theirs from it."""
        for name, parameter in self.named_parameters(place):
            parameter.name = name
        pending: list[tuple[str, Module]] = [(place, self)]
        while pending:
            place, module = pending.pop()
            module.__dict__["_place"] = place
            if not module._is_called:
                pending += [(joined(place, name), part) for name, part in module._modules.items()]

    def _claim(self, name: str, table: Mapping[str, Any]) -> None:
        """Make a name free for one of the tables; raise if it cannot be."""
        if not name or "." in name or hasattr(type(self), name):
            raise InputError(
                f"a parameter, buffer or module must have a name of its own without dots; got {name!r} for "
                f"{type(self).__name__}, which has {'an attribute of' if name else 'no use for'} that name. "
                "Choose another."
            )
        self.__dict__.pop(name, None)
        for other in (self._parameters, self._buffers, self._modules):
            if other is not table:
                other.pop(name, None)

    # Walking the tree

    def named_modules(self, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """Yield this module and all below it with their attribute paths; a shared one once unless asked otherwise."""
        yield from walk(self, prefix, set() if remove_duplicate else None)

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below it."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the modules that this one is directly made of."""
        yield from self._modules.items()

    def children(self) -> Iterator[Module]:
        """Yield the modules that this one is directly made of, without their names."""
        yield from self._modules.values()

    def get_submodule(self, path: str) -> Module:
        """Return the module at an attribute path such as ``encoder.layers.0``."""
        for name, module in self.named_modules(remove_duplicate=False):
            if name == path:
                return module
        raise InputError(
            f"a path must name a module of {type(self).__name__}; got {path!r}. "
            "Print the module, or list(module.named_modules()), to see the paths."
        )

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yield the parameters with their attribute paths; one that is shared once unless asked otherwise."""
        return named_entries(self, "_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield the parameters: what an optimizer takes."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield the buffers with their attribute paths."""
        return named_entries(self, "_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the buffers."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    # Changing all of it

    def apply(self, function: Callable[[Module], Any]) -> Self:
        """Call ``function`` on every module below and then on this one; return this one."""
        order: list[Module] = []
        pending: list[Module] = [self]
        while pending:
            order.append(pending.pop())
            pending += order[-1].children()
        for module in reversed(order):
            function(module)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set training mode: dropout drops, batch norm uses the batch's statistics."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set evaluation mode: no dropout, running statistics."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freeze the parameters (False) or make them trainable again."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.grad = None

    def astype(self, dtype: Any) -> Self:
        """Convert parameters and floating-point buffers to another dtype, in place."""
        dtype = parameter_dtype(dtype)
        for parameter in self.parameters():
            convert(parameter, dtype)
        for module in self.modules():
            for name, buffer in module._buffers.items():
                if buffer is not None and buffer.dtype.kind == "f":
                    module._buffers[name] = buffer.detach().astype(dtype)
        return self

    # Saving and loading

    def state_dict(self, prefix: str = "") -> dict[str, Array]:
        """Return every parameter and buffer as a read-only array, by attribute path; PyTorch's keys and order.

        The arrays are the values as they are now: training on gives the parameters new arrays and leaves these alone.
        """
        return {key: entry.value.data for key, entry in state_entries(self, prefix).items()}

    @no_grad()
    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> StateKeys:
        """Take over parameters and buffers; arrays, Tensors or PyTorch tensors, cast to the dtypes here.

        All of it or nothing: where anything does not fit, nothing is changed.

        Parameters
        ----------
        strict : whether keys may be neither missing nor unexpected; they are returned in any case

        Raises
        ------
        StateDictError
            Missing, unexpected or misshapen entries, all of them named.
        """
        return load_state(self, state_dict, strict)

    def extra_repr(self) -> str:
        """Return what the printed tree shows of this module: the arguments that it was made with."""
        return ""

    def __repr__(self) -> str:
        return tree_text(self)


def refuse_keywords(kind: type[Module], given: Mapping[str, Any]) -> None:
    """Raise where a layer was given PyTorch's name of an argument that has another one here."""
    accepted = signature(kind.__init__).parameters
    wrong = [name for name in given if name in KEYWORDS and name not in accepted]
    if wrong and not any(p.kind is p.VAR_KEYWORD for p in accepted.values()):
        raise OperandError(
            f"{kind.__name__} must be made with the arguments ({', '.join(list(accepted)[1:])}); got "
            f"{', '.join(wrong)}.{keyword_hint(wrong)}"
        )


def add_path(error: TinygradNormError) -> None:
    """Put the attribute path of the module being run before the error's message: once, by the innermost module."""
    scope = STATE.get().scope
    path = scope.path if scope is not None else ""
    if not getattr(error, "is_located", False):
        message = str(error)
        if path and f"in {path}" not in message:
            error.args = (f"in {path}: {message}",)
        error.is_located = True  # type: ignore[attr-defined]  # a mark on an exception that is under way
