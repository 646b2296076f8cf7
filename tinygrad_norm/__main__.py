# PYTHON_ARGCOMPLETE_OK
"""``python -m tinygrad_norm`` is the command ``tinygrad-norm``."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
