"""4. The Tensor: an array that remembers how it was computed; and what happens when a primitive meets one.

``Tensor(data, requires_grad=True)`` makes a leaf, operations on it record, ``backward()`` fills its
``grad``. The one idea: a Tensor is a read-only array and, if a gradient is wanted, the tape's node for
it. Because neither ever changes, nothing that the tape saved can go stale.

:func:`apply` is what calling a primitive does: compute, and record if a gradient is wanted.
"""

from __future__ import annotations

from _thread import RLock  # what threading offers, without its import
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias
from weakref import ref

import numpy as np

from ..display import tensor_html, tensor_text
from ..errors import GraphError, OperandError, ShapeError
from . import complaints, operators
from . import primitive as declaring
from .details.array import Array, Shape, freeze, to_array
from .details.leaving import leave_tape
from .operators import Operators
from .primitive import Primitive
from .sweep import seed_for, sweep
from .tape import STATE, Node, creation, leaf_node, new

# One backward pass after the other adds to the leaves, also where several threads share a parameter.
accumulating = RLock()


class Tensor(Operators):
    """An array of numbers with reverse-mode gradients.

    Parameters
    ----------
    data : number, nested list, array or Tensor
        The values, copied. NumPy's rules give the dtype, float64 for Python floats.
    requires_grad : bool
        Whether operations on it are recorded. Integers are converted to float64 then.
    dtype : NumPy dtype, optional
    name : str, optional
        Shown in drawings and errors.

    Raises
    ------
    OperandError
        The data are not real numbers or booleans, or hold Tensors whose gradient would be lost.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> x = tg.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    Tensor([2., 4., 6.], shape=(3,), dtype=float64)
    """

    __slots__ = ("__weakref__", "_array", "_ended", "_grad", "_name", "_node", "_resting")

    _array: Any  # an ndarray or, of shape (), a NumPy scalar; never written to
    _node: Node | None
    _name: str | None
    _grad: Tensor | None  # what backward() added up; not set before
    _resting: Node | None  # the node of a leaf whose requires_grad was switched off; otherwise not set
    _ended: str | None  # why there is no node although there could be one: a key of complaints.ENDED

    drawn_by: ClassVar[Callable[..., Any]]
    """What draws a Tensor or a trace. Set once, by the front door, so that this room need not know the drawing."""

    def __init__(self, data: Any, requires_grad: bool = False, dtype: Any = None, name: str | None = None) -> None:
        array = to_array(data, dtype)
        if requires_grad and array.dtype.kind != "f":
            array = array.astype(np.float64)
        self._array, self._name, self._ended = array, name, None
        self._node = leaf_node(self) if requires_grad else None

    # What it is

    @property
    def data(self) -> Array:
        """The values as a read-only array. Assign to it to give a leaf new values of the same shape."""
        view = np.asarray(self._array).view()
        view.setflags(write=False)
        # What it looks at too: otherwise NumPy would let the view be made writable again.
        assert view.base is not None
        view.base.setflags(write=False)
        return view

    @data.setter
    def data(self, values: Any) -> None:
        array = to_array(values, self.dtype)
        if array.shape != self.shape or not self.is_leaf:
            raise ShapeError(
                complaints.WRONG_DATA.format(
                    self.shape, array.shape, "a leaf" if self.is_leaf else "the result of an operation"
                )
            )
        self._array = array

    @property
    def shape(self) -> Shape:
        """The length of each axis."""
        shape: Shape = self._array.shape
        return shape

    @property
    def size(self) -> int:
        """The number of entries."""
        return int(self._array.size)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy dtype of the entries."""
        dtype: np.dtype[Any] = self._array.dtype
        return dtype

    @property
    def name(self) -> str | None:
        """What drawings and errors call it."""
        return self._name

    @name.setter
    def name(self, name: str | None) -> None:
        self._name = name
        if self._node is not None:
            self._node.name = name

    @property
    def node(self) -> Node | None:
        """The tape's node: what the drawing and the gradient check read. None without a gradient."""
        return self._node

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made it."""
        return self._node is None or self._node.primitive is None

    @property
    def requires_grad(self) -> bool:
        """Whether operations on it are recorded, and ``backward()`` adds to its ``grad``; can be set on a leaf."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if wanted == self.requires_grad:
            return
        if not self.is_leaf or self.dtype.kind != "f":
            raise GraphError(complaints.NO_LEAF.format(self))
        # Switched on again it is the leaf that it was: a graph recorded in between leads to it.
        if wanted:
            self._node = self._leaf() or leaf_node(self)
        else:
            self._resting, self._node = self._node, None

    @property
    def grad(self) -> Tensor | None:
        """The accumulated gradient of a leaf (or after ``retain_grad()``); set it to None to start anew."""
        return getattr(self, "_grad", None)

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        fits = isinstance(value, Tensor) and self._leaf() is not None and value.shape == self.shape
        if value is not None and not fits:
            raise ShapeError(complaints.WRONG_GRAD.format(self.shape, value))
        self._grad = value

    def _leaf(self) -> Node | None:
        return self._node or getattr(self, "_resting", None)

    # Values

    def item(self) -> Any:
        """Return the only entry as a Python number."""
        if self.size != 1:
            raise ShapeError(complaints.NOT_ONE_ITEM.format(self.shape))
        return self._array.item()

    def tolist(self) -> Any:
        """Return the values as nested lists of Python numbers."""
        return self._array.tolist()

    def numpy(self) -> Array:
        """Return the values as a new array, yours to change."""
        return np.array(self._array)

    def detach(self) -> Tensor:
        """Return a Tensor with the same values that nothing is recorded for."""
        return wrap(self._array, None, "detach")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if self._node is not None:
            leave_tape("an array")
        if copy:
            return np.array(self._array, dtype=dtype)
        return self.data if dtype is None else np.asarray(self.data, dtype=dtype)

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ShapeError(complaints.NO_TRUTH_VALUE.format(self.shape))
        return bool(self._array)

    def __float__(self) -> float:
        if self._node is not None:
            leave_tape("a number")
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.dtype.kind not in "iu" or self.shape:
            raise OperandError(complaints.NO_INDEX.format(self.dtype, self.shape))
        return int(self._array)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __repr__(self) -> str:
        return tensor_text(np.asarray(self._array), self._name, self._node)

    def _repr_html_(self) -> str:
        return tensor_html(np.asarray(self._array), self._name, self._node)

    def __copy__(self) -> Tensor:
        """Return another Tensor with the same values: a leaf of its own, or the same result on the tape."""
        if self._node is None or self._node.primitive is not None:
            return wrap(self._array, self._node)
        return type(self)(self._array, True, name=self._name)

    def __reduce__(self) -> tuple[Any, ...]:
        if not self.is_leaf:
            raise GraphError(complaints.NO_LEAF_TO_COPY.format(self))
        return type(self), (np.asarray(self._array), self.requires_grad, self.dtype, self._name)

    def draw(self, **options: Any) -> Any:
        """Return the drawing of the graph that made this Tensor; the options are those of ``tg.draw``."""
        return Tensor.drawn_by(self, **options)

    # Gradients

    def retain_grad(self) -> None:
        """Ask the next backward pass to fill ``grad`` although this is not a leaf."""
        if self._node is None:
            raise GraphError(complaints.NOTHING_TO_RETAIN.format(self))
        self._node.holder = ref(self)

    def backward(self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False) -> None:
        """Add the gradient of this Tensor by every leaf it depends on to the leaf's ``grad``.

        Parameters
        ----------
        gradient : the cotangent of this Tensor, of its shape; may be left out for a single number
        retain_graph : keep the saved arrays for another backward pass; by default only with ``create_graph``
        create_graph : record the backward pass itself, so that gradients can be differentiated again

        Raises
        ------
        GraphError
            The Tensor requires no gradient, or is not a single number and ``gradient`` is missing.
        GraphReleasedError
            An earlier backward pass released the graph.
        """
        node = self._node
        if node is None:
            raise GraphError(complaints.NO_GRADIENT.format(self, *why_ended(self)))
        seed = seed_for(None if gradient is None else as_tensor(gradient), self._array.shape, self._array.dtype)
        keep = create_graph if retain_graph is None else retain_graph
        accumulate(sweep_from([(node, seed)], release=not keep, create_graph=create_graph).items())


Data: TypeAlias = "Tensor | Array | np.generic | float | Sequence[Any]"
Optional: TypeAlias = "Tensor | Array | np.generic | float | Sequence[Any] | None"
"""What a function of Tensors takes: Tensors, arrays, numbers, nested lists."""


def wrap(array: Any, node: Node | None, ended: str | None = None) -> Tensor:
    """Return a Tensor around an array that nobody will write to; ``ended`` is a key of ``complaints.ENDED``."""
    tensor = object.__new__(Tensor)
    tensor._array, tensor._node = array, node
    tensor._name, tensor._ended = None, ended
    return tensor


def accumulate(found: Iterable[tuple[Node | None, Any]]) -> None:
    """Add what nodes have received to the gradients of the Tensors that hold them."""
    with accumulating:
        for target, g in found:
            tensor = None if target is None or target.holder is None else target.holder()
            if tensor is not None and tensor._node is target:  # else nobody can see it any more, or frozen meanwhile
                if target.primitive is None and g.dtype != target.params["dtype"]:
                    g = g.astype(target.params["dtype"])
                gradient = g if isinstance(g, Tensor) else wrap(g, None, "create_graph")
                tensor._grad = gradient if (before := tensor.grad) is None else before + gradient


def why_ended(tensor: Tensor) -> tuple[str, str]:
    """Return why a Tensor has no graph, and what to do."""
    return complaints.ENDED.get(tensor._ended or "values", complaints.ENDED["values"])


def as_tensor(data: Data) -> Tensor:
    """Return ``data`` itself if it is a Tensor, else a Tensor with its values."""
    return data if isinstance(data, Tensor) else wrap(to_array(data), None)


def sweep_from(seeds: Sequence[tuple[Node, Any]], *, create_graph: bool, **how: Any) -> dict[Node, Any]:
    """Run the sweep on arrays, or on Tensors that record when ``create_graph`` is set."""
    if not create_graph:
        return sweep([(n, g._array if isinstance(g, Tensor) else g) for n, g in seeds], **how)
    token = STATE.set(STATE.get().replaced(recording=True))
    try:
        return sweep([(n, as_tensor(g)) for n, g in seeds], wrap=wrap, **how)
    finally:
        STATE.reset(token)


# Looked up once, as apply() runs for every operation.
ndarray = np.ndarray
NUMBERS = frozenset({int, float, bool})
NO_PARAMETERS: dict[str, Any] = {}


def apply(primitive: Primitive, inputs: Sequence[Any], params: Mapping[str, Any] = NO_PARAMETERS) -> Tensor:
    """Compute a primitive and record it if a gradient is wanted of any input: what calling a primitive does."""
    state = STATE.get()
    scope, monitor = state.scope, state.monitor
    arrays: list[Any] = []
    nodes: list[Node | None] = []
    shapes: list[Shape] = []
    tracked, ended = False, None
    for x in inputs:
        if isinstance(x, Tensor):
            array = x._array
            node = x._node
            if node is not None:
                tracked = True
            elif x._ended is not None:
                ended = x._ended
            nodes.append(node)
            shapes.append(array.shape)
        else:
            # A Python number stays one, so that it never widens a float32.
            array = x if type(x) in NUMBERS and primitive.elementwise else operand(x, primitive)
            nodes.append(None)
            shapes.append(() if array is x else array.shape)
        arrays.append(array)
    if not primitive.native:
        freeze(arrays)
    try:
        out = primitive.forward(*arrays, **params) if params else primitive.forward(*arrays)
    except Exception as error:
        if isinstance(error, complaints.LEFT_ALONE):
            raise
        if monitor is not None:
            monitor.failed(error, primitive, inputs, params, scope)
        raise complaints.forward_failed(error, primitive, arrays, params, scope) from error
    if type(out) is not ndarray and not isinstance(out, np.generic):
        out = np.asarray(out)
        if out.dtype.kind not in "fiub":
            raise OperandError(complaints.WRONG_RESULT.format(primitive.name, complaints.where(scope), out.dtype))
    result: Tensor = new(Tensor)
    result._array, result._ended = out, ended
    result._name = result._node = None
    if tracked and state.recording and out.dtype.kind == "f":
        in_shapes = tuple(shapes)
        saved = primitive.save(out, arrays, in_shapes, params, nodes)
        # operation_node(), without the time of a call
        result._node = node = new(Node)
        node.primitive, node.parents, node.shapes, node.params = primitive, tuple(nodes), in_shapes, params
        node.saved, node.scope, node.order = saved, scope, next(creation)
        node.holder = node.name = None
    elif tracked:
        result._ended = "integers" if state.recording else "no_grad"
    if state.anomaly:
        complaints.check_forward(primitive, arrays, out, scope)
    if monitor is not None:
        monitor.recorded(result, primitive, inputs, params, scope)
    return result


# Ties the knot of which engine/primitive.py speaks: a primitive that is called gives a Tensor.
declaring.apply = operators.apply = apply


def operand(x: Any, primitive: Primitive) -> Any:
    """Return an operand that is not a Tensor as a private array."""
    if isinstance(x, np.generic) and x.dtype.kind in "fiub":
        return x
    # What can be an array is taken for one: a Series of pandas, a Tensor of PyTorch.
    if isinstance(x, (np.ndarray, list, tuple, int, float, bool, np.generic)) or hasattr(x, "__array__"):
        return to_array(x)
    raise complaints.no_operand(primitive, x)
