"""Two runs on the same tasks: what is paired, what is refused, and when it counts as a regression."""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from hiermap.cli import main
from hiermap.evaluation.compare import compare, differing, pair
from hiermap.evaluation.results import RUN, EpisodeRow, Run
from hiermap.system.proportions import PairedCounts, mcnemar, newcombe

CONFIG = {"suite": "chain-3", "kitchen": {"name": "hiermap"}, "seed": 500, "out": "runs/x", "search": {"batch": 2}}
SETTINGS = {"commit": "abc", "weights_sha256": None}
ROW = EpisodeRow(0, 500, "chain-3", 3, 1, True, 3, 3, 0, 0.5, "", "", 2.0)


def rows(outcomes: Sequence[bool], **changes) -> list[EpisodeRow]:
    return [replace(ROW, episode=i, seed=ROW.seed + i, success=success, **changes) for i, success in enumerate(outcomes)]


def run(outcomes: Sequence[bool], config: Mapping = CONFIG, **changes) -> Run:
    found = rows(outcomes, **changes)
    return Run({**SETTINGS, "config": config}, [replace(row, seed=config["seed"] + row.episode) for row in found])


def stored(directory: Path, what: Run) -> str:
    directory.mkdir(parents=True)
    (directory / RUN).write_text(json.dumps({"settings": what.settings, "episodes": [asdict(row) for row in what.rows]}))
    return str(directory)


BETTER, WORSE = [True] * 40, [True] * 30 + [False] * 10


def test_the_report_tells_success_difference_seeds_and_settings(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    a = stored(tmp_path / "a", run([True, True, True, False, False, True, True, True]))
    changed = Run({**SETTINGS, "commit": "def", "config": {**CONFIG, "out": "runs/y", "search": {"batch": 1}}}, [])
    b_rows = rows([True, True, False, True, True, True, True, True], primitives=4, replans=1, plan_seconds=0.25)
    assert compare(a, stored(tmp_path / "b", replace(changed, rows=b_rows))) == 0
    said = capsys.readouterr().out
    low, high = newcombe(PairedCounts(both=5, only_a=1, only_b=2, neither=0))
    assert "8 pairs by seed and task; left out without a partner: 0 of A, 0 of B" in said
    change = next(line for line in said.splitlines() if line.startswith("B - A  "))
    assert change.split() == [
        "B",
        "-",
        "A",
        "+12.5",
        f"{100 * low:+.1f}",
        "..",
        f"{100 * high:+.1f}",
        "8",
        "+1.00",
        "+1.00",
        "-0.25",
        "+0.00",
    ]
    assert "solved by both 5, only A 1, only B 2, neither 0; exact McNemar p = 1\n" in said
    assert "seeds solved by A only: 502\nseeds solved by B only: 503 504\n" in said
    assert [line.split() for line in said.split("settings that differ")[1].splitlines()[2:4]] == [
        ["commit", "abc", "def"],
        ["config.search.batch", "2", "1"],
    ]
    assert said.rstrip().endswith("no regression: not all of the 95 % interval of B - A lies below 0")


def test_only_an_interval_wholly_below_zero_is_a_regression(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    better, worse = stored(tmp_path / "better", run(BETTER)), stored(tmp_path / "worse", run(WORSE))
    assert main(["compare", better, worse]) == 1
    assert "\nregression: all of the 95 % interval of B - A lies below 0" in capsys.readouterr().out
    assert main(["compare", worse, better]) == 0
    assert main(["compare", worse, worse]) == 0
    assert "no settings differ" in capsys.readouterr().out


def test_the_verdict_goes_by_the_interval_and_not_by_the_p_value() -> None:
    paired = pair(run([True] * 20), run([True] * 15 + [False] * 5))
    assert mcnemar(paired.counts) == pytest.approx(0.0625) and newcombe(paired.counts)[1] < 0 and paired.regressed
    one_lost = pair(run([True] * 20), run([True] * 19 + [False]))
    assert one_lost.counts.difference == pytest.approx(-0.05) and not one_lost.regressed


def test_a_longer_run_from_the_same_start_is_paired_where_both_are(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    paired = pair(run([True] * 5), run([True] * 3))
    assert (len(paired.a), len(paired.b), paired.left_out_a, paired.left_out_b) == (3, 3, 2, 0)
    assert [row.seed for row in paired.a] == [row.seed for row in paired.b] == [500, 501, 502]
    compare(stored(tmp_path / "a", run([True] * 3)), stored(tmp_path / "b", run([True] * 5)))
    assert "3 pairs by seed and task; left out without a partner: 0 of A, 2 of B" in capsys.readouterr().out


def test_things_of_other_kinds_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    drawers, doors = run([True] * 3, kind="drawer"), run([True] * 3, kind="left_door")
    compare(stored(tmp_path / "a", drawers), stored(tmp_path / "b", doors))
    assert "in 3 pairs the runs chose things of different kinds" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        (run(BETTER, {**CONFIG, "suite": "chain-5"}), "suite=chain-3 in A, suite=chain-5 in B; expected"),
        (run(BETTER, {**CONFIG, "kitchen": {"name": "toy"}}), "kitchen.name=hiermap in A, kitchen.name=toy in B; expected"),
        (run(BETTER, {**CONFIG, "seed": 7}), "seed=500 in A, seed=7 in B; expected"),
        (Run(run([]).settings, run(BETTER).rows[::2]), "seed 501 where B has chain-3 of seed 502; expected .* merge shards"),
        (run(BETTER, detours=0), "1 detours in A and 0 in B, so seeds gave other tasks"),
    ],
)
def test_runs_on_other_tasks_are_a_usage_error(tmp_path: Path, other: Run, complaint: str, capsys: pytest.CaptureFixture) -> None:
    assert main(["compare", stored(tmp_path / "a", run(BETTER)), stored(tmp_path / "b", other)]) == 2
    said = capsys.readouterr()
    assert not said.out
    assert re.search(complaint, said.err)


def test_a_void_episode_is_paired_although_it_tells_no_detours() -> None:
    void = run([False], primitives=0, detours=0, failure_reason="physics_diverged")
    assert pair(run([True]), void).counts == PairedCounts(0, 1, 0, 0)


@pytest.mark.parametrize("text", [None, "{", '{"settings": {"config": {}}, "episodes": []}'])
def test_a_missing_or_damaged_run_is_a_usage_error_and_never_a_regression(tmp_path: Path, text: str | None, capsys) -> None:
    a, b = stored(tmp_path / "a", run(BETTER)), stored(tmp_path / "b", run(WORSE))
    if text is None:
        shutil.rmtree(b)
    else:
        Path(b, RUN).write_text(text)
    assert main(["compare", a, b]) == 2
    assert f"{b}" in capsys.readouterr().err


def test_settings_that_only_one_run_has_are_told() -> None:
    a, b = run([True]), run([True], {**CONFIG, "goal": {"masks": "click"}, "out": "elsewhere"})
    assert differing(a, b) == {"config.goal.masks": ("-", "click")}


def test_two_real_evaluations_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    words = ["suite=chain-3", "kitchen=toy", "world=simulator", "maps=oracle", "seed=100000", "progress=false", "workers=0", "episodes=4"]
    for name, planner in (("search", "best_first"), ("chance", "random")):
        assert main(["evaluate", f"out={tmp_path / name}", *words, f"planner={planner}"]) == 0
    capsys.readouterr()
    assert main(["compare", str(tmp_path / "search"), str(tmp_path / "search")]) == 0
    assert "no settings differ" in capsys.readouterr().out
    assert main(["compare", str(tmp_path / "search"), str(tmp_path / "chance")]) in (0, 1)
    assert ["config.planner", "best_first", "random"] in [line.split() for line in capsys.readouterr().out.splitlines()]
