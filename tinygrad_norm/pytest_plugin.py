"""Gradient checks in pytest: the fixture ``gradcheck``, and the whole report under a failed assertion.

A teacher's test file needs five lines::

    from layers import layer_norm, layer_norm_backward
    import numpy as np

    def test_layer_norm(gradcheck):
        gradcheck(layer_norm, np.random.default_rng(0).normal(size=(3, 5)), backward=layer_norm_backward)

The student who fails it reads which mistake it probably is. ``assert tg.gradcheck(f, x)`` shows the same report.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import pytest

from .gradcheck import Report, assert_gradients


@pytest.fixture
def gradcheck() -> Callable[..., Report]:
    """Check gradients and fail with the report: ``gradcheck(f, inputs, backward=None, **options)``."""
    return assert_gradients


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the report to a test that failed on ``assert tg.gradcheck(...)``."""
    outcome = yield
    if call.excinfo is not None and call.excinfo.errisinstance(AssertionError):
        # pytest keeps the operands of a rewritten assertion in variables of the test's own frame.
        for value in {id(v): v for v in call.excinfo.traceback[-1].locals.values()}.values():
            if isinstance(value, Report) and not value.ok and str(value) not in str(call.excinfo.value):
                outcome.sections.append(("gradient check", str(value)))
    return outcome
