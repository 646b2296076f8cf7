"""Run the pages as doctests: without the files that build the site, and without what a page declares outliving it."""

from collections.abc import Iterator

import pytest

from tinygrad_norm.engine.primitive import FUNCTIONS, NUMPY, PRIMITIVES

# They need what only the extra ``docs`` installs, or the alternatives that the README compares with.
collect_ignore_glob = ["conf.py", "_ext/*", "live/*", "_build/*", "alternatives/*", "notebook/*"]
# Its examples are part of a file that it shows; the tests of the command exercise run that file.
collect_ignore_glob += ["how-to/write-an-exercise.md"]


@pytest.fixture(autouse=True)
def registry_as_found() -> Iterator[None]:
    """Take back the operations, some of them wrong on purpose, that a page has declared."""
    found = [(registry, dict(registry)) for registry in (PRIMITIVES, FUNCTIONS, NUMPY)]
    yield
    for registry, before in found:
        registry.clear()
        registry.update(before)
