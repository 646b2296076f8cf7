"""A share of a sweep: the shares together are the whole, and a change of the sources chooses another one."""

from __future__ import annotations

from pathlib import Path

from tests.sweeps import share, turn_of


def test_the_shares_are_the_whole_and_the_gate_runs_it() -> None:
    cases = list(range(10))
    assert sorted(c for turn in range(3) for c in share(cases, 3, False, turn)) == cases
    assert share(cases, 3, True, 1) == cases


def test_a_change_of_the_sources_chooses_another_share(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    turns = set()
    for number in range(20):
        file.write_text(f"x = {number}", encoding="utf-8")
        assert turn_of([file]) == turn_of([file])
        turns.add(turn_of([file]) % 3)
    assert turns == {0, 1, 2}
