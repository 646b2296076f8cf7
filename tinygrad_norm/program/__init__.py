"""How is a run written out, to be read and to be run without a tape? See :func:`program`."""

from .program import Program, program

__all__ = ["Program", "program"]
