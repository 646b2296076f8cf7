"""Modules made of others: Sequential runs them in turn; ModuleList, ModuleDict and ParameterList only keep them.

They are how a model holds many parts: in a plain list or dict nobody would find their parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

from ..engine.tensor import Data, Tensor
from ..errors import IndexRangeError, InputError, OperandError
from ..pytorch_names import kind_of
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from typing_extensions import Self


Part = TypeVar("Part", Module, Parameter)


class Numbered(Module, Generic[Part]):
    """What they share: parts called 0, 1, 2, …, and a list's manners."""

    _made_of: ClassVar[type] = Module
    _remedy: ClassVar[str] = "Write a Module with this forward(), or call the function itself."

    @property
    def _parts(self) -> Mapping[str, Any]:
        return self._modules

    def append(self, part: Part) -> Self:
        """Add a part at the end; return this module."""
        self._put(str(len(self)), part)
        return self

    def extend(self, parts: Iterable[Part]) -> Self:
        """Add parts at the end; return this module."""
        for part in parts:
            self.append(part)
        return self

    def __len__(self) -> int:
        return len(self._parts)

    def __iter__(self) -> Iterator[Part]:
        return iter(self._parts.values())

    @overload
    def __getitem__(self, index: int) -> Part: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Part | Self:
        parts: list[Part] = list(self._parts.values())
        if isinstance(index, slice):
            return type(self)().extend(parts[index])
        return parts[self._position(index)]

    def __setitem__(self, index: int, part: Part) -> None:
        self._put(list(self._parts)[self._position(index)], part)

    def _put(self, name: str, part: Part) -> None:
        if not isinstance(part, self._made_of):
            raise OperandError(
                f"{type(self).__name__} must be made of {self._made_of.__name__}s; got {kind_of(part)}. {self._remedy}"
            )
        setattr(self, name, part)

    def _position(self, index: int) -> int:
        if not -len(self) <= index < len(self):
            raise IndexRangeError(
                f"an index into {type(self).__name__} must lie in [{-len(self)}, {len(self)}); got {index}. "
                "Count the modules from 0."
            )
        return index % len(self)


class Sequential(Numbered[Module]):
    """Modules run one after the other, each on what the one before returned.

    Formula: y = moduleₙ(… module₂(module₁(x))).
    Shapes: those of the modules: x (batch, …) as the first takes it, y as the last gives it.
    Source: PyTorch's ``Sequential``. Give the modules in order, or as one dict from names to modules.

    Raises
    ------
    OperandError
        What is to be a part is no Module.
    IndexRangeError
        An index names no part.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> model = tg.nn.Sequential(tg.nn.Linear(2, 3), tg.nn.ReLU(), tg.nn.Linear(3, 1))
    >>> model
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
      (2): Linear(in_features=3, out_features=1, bias=True)
    )
    >>> model([[2.0, 3.0]]).shape
    (1, 1)
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        for module in modules:
            if isinstance(module, Mapping) and len(modules) == 1:
                for name, part in module.items():
                    self.add_module(name, part)
            else:
                self.append(module)  # type: ignore[arg-type]  # a wrong kind is refused there

    def forward(self, x: Any) -> Tensor:
        """Return x after all modules."""
        for module in self:
            x = module(x)
        result: Tensor = x
        return result


class ModuleList(Numbered[Module]):
    """A list of modules whose parameters are found. It is not called itself: loop over it.

    Source: PyTorch's ``ModuleList``. Errors are those of :class:`Sequential`.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> class Tower(tg.nn.Module):
    ...     def __init__(self):
    ...         self.layers = tg.nn.ModuleList(tg.nn.Linear(3, 3) for _ in range(2))
    ...
    ...     def forward(self, x):
    ...         for layer in self.layers:
    ...             x = layer(x)
    ...         return x
    >>> list(Tower().state_dict())
    ['layers.0.weight', 'layers.0.bias', 'layers.1.weight', 'layers.1.bias']
    """

    _is_called = False

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self.extend(modules)


class ModuleDict(Module):
    """A dict of modules whose parameters are found. It is not called itself: pick from it.

    Source: PyTorch's ``ModuleDict``. It has a dict's manners; names are those of attributes, without dots.

    Raises
    ------
    OperandError
        What is to be a part is no Module.
    InputError
        A name names no part.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> class Choice(tg.nn.Module):
    ...     def __init__(self):
    ...         self.acts = tg.nn.ModuleDict({"relu": tg.nn.ReLU(), "scaled": tg.nn.Linear(2, 2)})
    ...
    ...     def forward(self, x, act):
    ...         return self.acts[act](x)
    >>> Choice()([[-1.0, 2.0]], "relu").tolist()
    [[0.0, 2.0]]
    >>> list(Choice().state_dict())
    ['acts.scaled.weight', 'acts.scaled.bias']
    """

    _is_called = False

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] = ()) -> None:
        self.update(modules)

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add modules by name, or put them in the place of others."""
        for name, module in dict(modules).items():
            self[name] = module

    def __setitem__(self, name: str, module: Module) -> None:
        if not isinstance(module, Module):
            raise OperandError(
                f"ModuleDict must be made of Modules; got {kind_of(module)} for {name!r}. "
                "Write a Module with this forward(), or keep the function in a plain dict."
            )
        self.add_module(name, module)

    def __getitem__(self, name: str) -> Module:
        if name not in self._modules:
            raise InputError(
                f"ModuleDict must hold the name; got {name!r}, and there are {', '.join(self._modules) or 'none'}. "
                "Choose one of them, or assign a module to it first."
            )
        return self._modules[name]

    def __delitem__(self, name: str) -> None:
        self.pop(name)

    def pop(self, name: str) -> Module:
        """Take a module out and return it."""
        module = self[name]
        del self._modules[name]
        return module

    def clear(self) -> None:
        """Take all modules out."""
        self._modules.clear()

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def keys(self) -> Iterable[str]:
        """Return the names."""
        return self._modules.keys()

    def values(self) -> Iterable[Module]:
        """Return the modules."""
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """Return pairs of name and module."""
        return self._modules.items()


class ParameterList(Numbered[Parameter]):
    """A list of parameters that are found. Tensors and arrays that are put into it become Parameters.

    Source: PyTorch's ``ParameterList``, for parameters only.

    Raises
    ------
    OperandError
        What is to be a parameter holds no floating-point numbers.
    IndexRangeError
        An index names no parameter.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> class Powers(tg.nn.Module):
    ...     def __init__(self):
    ...         self.factors = tg.nn.ParameterList([[1.0], [2.0]])
    ...
    ...     def forward(self, x):
    ...         return sum(factor * x**i for i, factor in enumerate(self.factors))
    >>> Powers()(3.0).tolist()
    [7.0]
    >>> list(Powers().state_dict())
    ['factors.0', 'factors.1']
    """

    _is_called = False
    _made_of = Parameter

    @property
    def _parts(self) -> Mapping[str, Any]:
        return self._parameters

    def __init__(self, values: Iterable[Data] = ()) -> None:
        for value in values:
            self.append(value)  # type: ignore[arg-type]  # what is no Parameter becomes one

    def _put(self, name: str, part: Data) -> None:
        self.register_parameter(name, part if isinstance(part, Parameter) else Parameter(part))

    def extra_repr(self) -> str:
        """Return the shapes."""
        return ", ".join(f"({name}): {parameter.shape}" for name, parameter in self.named_parameters())
