"""The gradient check that measures its own error and names the mistake.

``gradcheck`` checks functions of Tensors and modules, ``check_vjp`` a backward pass written by hand in NumPy,
``assert_gradients`` raises with the report. The one idea: the numeric derivative is measured *together with its error
bar*, so that no tolerance has to be guessed; what a wrong gradient is off by then tells which mistake it is.
"""

from .api import assert_gradients, check_vjp, gradcheck
from .check_report import Entry, Report, WrongNode
from .diagnose import Finding

__all__ = ["Entry", "Finding", "Report", "WrongNode", "assert_gradients", "check_vjp", "gradcheck"]
