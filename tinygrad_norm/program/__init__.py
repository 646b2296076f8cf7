"""How is a run written out, to be read and to be run without a tape? See :func:`program`."""

from .batch_parts import split_batch
from .onnx import to_onnx
from .program import Program, program

__all__ = ["Program", "program", "split_batch", "to_onnx"]
