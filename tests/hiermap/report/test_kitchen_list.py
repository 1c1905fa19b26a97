"""What is in a kitchen is listed with what can be asked of it, and drawn."""

from pathlib import Path

import numpy as np
import pytest

from hiermap.cli import main
from hiermap.report.kitchen_list import PICTURE, in_text
from hiermap.worlds.goals import Predicate


def test_places_stand_where_things_are_put_what_holds_is_told_and_what_is_hidden_says_so() -> None:
    vocabulary = [
        Predicate("open", ("box",)),
        Predicate("held", ("mug",)),
        Predicate("inside", ("mug", "box")),
        Predicate("inside", ("mug", "bin")),
    ]
    masks = {"mug": np.zeros((4, 4), bool), "box": np.ones((4, 4), bool)}
    truth = {"open(box)": False, "held(mug)": True, "inside(mug, box)": False, "inside(mug, bin)": True}
    lines = in_text(vocabulary, masks, truth).splitlines()
    told = "held(mug)  inside(mug, box|bin)  now held and inside bin  (hardly seen: no target now)"
    assert lines == ["box  open(box)  now nothing of this", f"mug  {told}"]


def test_the_kitchen_of_a_seed_is_listed_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["kitchen", "seed=100003", f"out={tmp_path}"]) == 0
    told = capsys.readouterr().out
    assert "open(" in told and "  now closed\n" in told and "held(" in told and str(tmp_path / PICTURE) in told
    assert (tmp_path / PICTURE).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("word", ["seed=-1", "kitchen=toy", "kitchen=mjcf", "kitchen.path=x.xml", "kitchen.base=here", "kitchen.arm=pr2"])
def test_a_kitchen_that_cannot_be_looked_at_is_a_usage_error(word: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["kitchen", word, f"out={tmp_path}"]) == 2
    assert word.split("=")[0] in capsys.readouterr().err
