"""The handwritten digits that scikit-learn brings along: 1,797 images of 8×8 pixels in ten classes.

They are the optical digits of E. Alpaydin and C. Kaynak (UCI Machine Learning Repository, 1998). Nothing is downloaded.
"""

from __future__ import annotations

from importlib import import_module

from ...engine.details.array import Array
from ...errors import MissingExtraError


def bundled_digits() -> tuple[Array, Array]:
    """Return images (image, 64) with values from 0 to 16, and their classes (image).

    Raises
    ------
    MissingExtraError
        scikit-learn is not installed.
    """
    try:
        found = import_module("sklearn.datasets").load_digits()
    except ImportError as error:
        raise MissingExtraError(
            "the digits come with scikit-learn; it is not installed. Run pip install 'tinygrad-norm[lab]', or "
            "choose an experiment without digits."
        ) from error
    return found.data, found.target
