"""Embedding: a vector for each token id."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import functional as F
from ..engine.tensor import Tensor
from ..errors import InputError
from . import init
from .module import Module
from .parameter import Parameter, check_sizes, parameter_dtype


class Embedding(Module):
    """A table of vectors, looked up by token id.

    Formula: y[…, j] = weight[ids[…], j]; the entries are drawn from a standard normal distribution.
    Shapes: ids (…), in [0, num_embeddings), ``weight`` (num_embeddings, embedding_dim), y (…, embedding_dim).
    Source: Bengio et al. 2003, "A neural probabilistic language model", section 2; PyTorch's ``Embedding``, whose
    ``input`` is our ids.

    Parameters
    ----------
    padding_idx : the id of pads. Its vector is 0 and stays so: it gets no gradient

    Raises
    ------
    InputError
        A size is not a positive integer, or padding_idx no id.
    IndexRangeError, OperandError
        An id has no vector, or is no integer; when called.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> table = tg.nn.Embedding(10, 3, padding_idx=0)
    >>> table([[4, 7], [2, 0]])[1, 1]
    Tensor([0., 0., 0.], shape=(3,), dtype=float64, op=getitem)
    """

    weight: Parameter

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, dtype: Any = None
    ) -> None:
        check_sizes("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise InputError(
                f"Embedding: padding_idx must be one of the {num_embeddings} ids; got {padding_idx}. "
                "Pass None for no pads."
            )
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = Parameter(np.zeros((num_embeddings, embedding_dim), parameter_dtype(dtype)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            values = self.weight.numpy()
            values[self.padding_idx] = 0
            self.weight.data = values

    def forward(self, ids: Any) -> Tensor:
        """Return the vectors of the ids."""
        return F.embedding(ids, self.weight, self.padding_idx)

    def label(self) -> str:
        """Return ``Embedding 10×3``."""
        return f"Embedding {self.num_embeddings}×{self.embedding_dim}"

    def extra_repr(self) -> str:
        """Return the arguments."""
        pads = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{pads}"
