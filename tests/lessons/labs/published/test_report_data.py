from __future__ import annotations

import json

from tinygrad_norm.lessons.labs.published.report import LabReport
from tinygrad_norm.lessons.labs.published.report_data import report_data


def test_the_layout(report: LabReport) -> None:
    data = report_data(report)
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert {name: data[name] for name in ("lab", "title", "seed", "quick", "complete", "benefits", "limits")} == {
        "lab": "made-up", "title": "Is it so?", "seed": 7, "quick": True, "complete": True, "benefits": ["stability"],
        "limits": ["It is made up."],
    }  # fmt: skip
    assert data["findings"]["first"] == {
        "source": "Bjorck, Gomes, Selman & Weinberger 2018, “Understanding Batch Normalization”, NeurIPS",
        "published": "It was published that p.",
        "test": "p holds.",
        "ours": "It is 0.2.",
        "values": {"size": 0.25},
        "verdict": "exact",
    }
    assert data["tables"]["sizes"]["rows"] == [{"label": "a", "pad": False, "values": [0.5, None]}]
    assert data["panels"]["names"] == {
        "title": "Names", "x": "feature", "y": "gradient", "names": ["z₁", "z₂"],
        "lines": [
            {"label": "a", "points": [[0.0, -1.0], [1.0, 2.0]]}, {"label": "b", "points": [[0.0, 0.5], [1.0, 0.5]]},
        ],
    }  # fmt: skip
