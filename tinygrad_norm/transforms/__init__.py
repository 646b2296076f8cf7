"""Derivatives as functions: ``grad``, ``vjp``, ``jvp``, ``jacobian``, ``hessian``, ``hvp``; they nest.

They take arrays or Tensors and give Tensors, leave every ``.grad`` alone, and can be differentiated again, by their
arguments and by any Tensor that the function closes over. :func:`gradients` is the form they are made of.

In the formulas f maps x to y, ȳ is a cotangent of y (its shape), ẋ a tangent of x (its shape), J = ∂y/∂x.
"""

from .gradient import grad, value_and_grad
from .matrices import hessian, jacobian
from .products import hvp, jvp, vjp
from .tape_level import gradients

__all__ = ["grad", "gradients", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]
