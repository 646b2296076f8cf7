"""The errors a user can meet, each also the built-in it is most like.

A message has three parts: what must hold, what was received, what to do. Catch
:class:`TinygradNormError` for any of them, or the built-in class you would expect from NumPy.
"""


class TinygradNormError(Exception):
    """Base of every error that this package raises on purpose."""


class ShapeError(TinygradNormError, ValueError):
    """Shapes or axes do not fit together."""


class InputError(TinygradNormError, ValueError):
    """A value is outside what the function is defined for."""


class OperandError(TinygradNormError, TypeError):
    """An argument is of a kind that the function cannot take."""


class IndexRangeError(TinygradNormError, IndexError):
    """An index lies outside the axis it points into."""


class GraphError(TinygradNormError, RuntimeError):
    """The tape cannot do what was asked of it."""


class GraphReleasedError(GraphError):
    """The saved arrays of this graph were released by an earlier backward pass."""


class GraphEndsWarning(UserWarning):
    """A Tensor that requires a gradient became plain values, so that the gradient ends there."""


class VJPError(TinygradNormError, RuntimeError):
    """A primitive's backward rule returned something that is not a cotangent of its input."""


class AnomalyError(TinygradNormError, FloatingPointError):
    """An operation produced a NaN or an infinity under ``detect_anomaly`` or ``np.errstate(all="raise")``."""


class ForeignNameError(TinygradNormError, AttributeError):
    """A name is PyTorch's, and something else here."""


class TableError(TinygradNormError, ValueError):
    """A table read from a file is not what the command needs."""


class StateDictError(TinygradNormError, RuntimeError):
    """Saved weights do not fit the module or optimizer that they are loaded into."""


class FileError(TinygradNormError, OSError):
    """A file is missing, damaged, or of a kind that cannot be read or written."""


class MissingExtraError(TinygradNormError, ImportError):
    """An optional package that this feature needs is not installed."""


class LearnerCodeError(TinygradNormError, RuntimeError):
    """A file with a learner's code cannot be checked: it raises, loops, exits or returns something else."""


class SandboxError(TinygradNormError, RuntimeError):
    """The process that a file is to run in cannot be started."""
