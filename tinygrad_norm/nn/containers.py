"""Modules made of modules: Sequential runs them one after the other, ModuleList only keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, overload

from ..engine.tensor import Tensor
from ..errors import IndexRangeError, OperandError
from .module import Module

if TYPE_CHECKING:
    from typing_extensions import Self


class Numbered(Module):
    """What both share: parts called 0, 1, 2, …, and a list's manners."""

    def append(self, module: Module) -> Self:
        """Add a module at the end; return this one."""
        if not isinstance(module, Module):
            raise OperandError(
                f"{type(self).__name__} must be made of Modules; got {type(module).__name__}. "
                "Write a Module with this forward(), or call the function itself."
            )
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end; return this one."""
        for module in modules:
            self.append(module)
        return self

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Module | Self:
        parts = list(self._modules.values())
        if isinstance(index, slice):
            return type(self)().extend(parts[index])
        return parts[self._position(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        self.add_module(str(self._position(index)), module)

    def _position(self, index: int) -> int:
        if not -len(self) <= index < len(self):
            raise IndexRangeError(
                f"an index into {type(self).__name__} must lie in [{-len(self)}, {len(self)}); got {index}. "
                "Count the modules from 0."
            )
        return index % len(self)


class Sequential(Numbered):
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


class ModuleList(Numbered):
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

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self.extend(modules)

    def add_module(self, name: str, module: Module) -> None:
        """Make ``module`` a part; since the list is not called, the part's place in the tree includes the list's."""
        super().add_module(name, module)
        module._settle(f"{self._place}.{name}" if self._place else name)

    def _settle(self, place: str) -> None:
        super()._settle(place)
        for name, module in self.named_children():
            module._settle(f"{place}.{name}")
