from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinygrad_norm.cli import main
from tinygrad_norm.commands import doctor
from tinygrad_norm.viz import render


def test_a_machine_that_can_draw(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "Renderers, the first is used" in out
    assert out.rstrip().endswith("Drawing: works")
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["packages"]["numpy"]
    assert found["renderers"][0]["formats"].startswith("svg png")
    assert found["renderers"][0]["version"]
    assert found["problem"] is None


def test_a_machine_that_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(render.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(render.sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setattr(render.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(doctor.metadata, "version", missing)
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "  none\n" in out
    assert "numpy          MISSING" in out
    assert "selenium       not installed" in out
    assert "unknown: no fc-match here" in out
    assert "Drawing: a drawing needs a renderer of DOT; found none" in out


def missing(name: str) -> str:
    raise doctor.metadata.PackageNotFoundError(name)


def test_a_variable_that_names_nothing_is_the_problem(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(render.VARIABLE, "/no/such/dot")
    assert main(["doctor"]) == 1
    assert "  none: TINYGRAD_NORM_DOT must name an executable; got '/no/such/dot'" in capsys.readouterr().out


def test_a_program_that_says_nothing_or_cannot_run(tmp_path: Path) -> None:
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\n", encoding="utf-8")
    silent.chmod(0o755)
    assert doctor.output_of([str(silent)]) is None
    assert doctor.output_of([str(tmp_path / "none")]) is None
    report = doctor.renderer_report(render.Renderer(str(silent), "here", True))
    assert report == {"path": str(silent), "found": "here", "version": None, "formats": "svg png pdf"}
