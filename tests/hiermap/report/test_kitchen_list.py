"""What is in a kitchen is listed with what can be asked of it, and drawn."""

from pathlib import Path

import numpy as np
import pytest

from hiermap.cli import main
from hiermap.report.kitchen_list import PICTURE, in_text
from hiermap.worlds.goals import Predicate


def test_places_stand_where_things_are_put_and_what_is_hidden_says_so() -> None:
    vocabulary = [
        Predicate("open", ("box",)),
        Predicate("held", ("mug",)),
        Predicate("inside", ("mug", "box")),
        Predicate("inside", ("mug", "bin")),
    ]
    masks = {"mug": np.zeros((4, 4), bool), "box": np.ones((4, 4), bool)}
    lines = in_text(vocabulary, masks).splitlines()
    assert lines == ["box  open(box)", "mug  held(mug)  inside(mug, box|bin)  (hardly seen: no target now)"]


def test_the_kitchen_of_a_seed_is_listed_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["kitchen", "seed=100003", f"out={tmp_path}"]) == 0
    told = capsys.readouterr().out
    assert "open(" in told and "held(" in told and str(tmp_path / PICTURE) in told
    assert (tmp_path / PICTURE).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("word", ["seed=-1", "kitchen=toy", "kitchen=mjcf", "kitchen.path=x.xml", "kitchen.base=here", "kitchen.arm=pr2"])
def test_a_kitchen_that_cannot_be_looked_at_is_a_usage_error(word: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["kitchen", word, f"out={tmp_path}"]) == 2
    assert word.split("=")[0] in capsys.readouterr().err
