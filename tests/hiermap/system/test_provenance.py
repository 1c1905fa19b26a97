"""Where results come from, and goals in words."""

import hashlib
from pathlib import Path

from hiermap.evaluation.suites import RunOptions
from hiermap.system import provenance
from hiermap.system.files import file_sha256
from hiermap.system.provenance import settings
from hiermap.worlds.goals import PREDICATES, UNARY, Predicate, in_words


def test_a_goal_reads_as_a_sentence() -> None:
    goal = (Predicate("inside", ("mug", "left_drawer_1")), Predicate("closed", ("left_drawer_1",)))
    assert in_words(goal) == "the mug is in the left drawer 1, and the left drawer 1 is shut"
    assert in_words(()) == "nothing is asked for"


def test_every_kind_of_predicate_has_words() -> None:
    for kind in PREDICATES:
        names = ("mug",) if kind in UNARY else ("mug", "board")
        assert "mug" in in_words((Predicate(kind, names),))


def test_settings_name_config_versions_commit_and_weights(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"weights")
    about = settings({"seed": 1}, file)
    assert about["config"] == {"seed": 1}
    assert about["weights_sha256"] == hashlib.sha256(b"weights").hexdigest() == file_sha256(file)
    assert {"mujoco", "numpy", "torch", "python"} <= set(about["versions"])


def test_an_installed_package_without_a_checkout_has_no_commit(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "site" / "hiermap" / "system" / "provenance.py"))
    assert provenance.commit() is None


def test_weights_are_only_asked_for_where_something_learned_is_used(tmp_path: Path) -> None:
    oracle = RunOptions(maps="oracle", world="simulator", weights=str(tmp_path / "absent"))
    assert oracle.weights_file("chain-3") is None
    assert oracle.weights_file("primitives") is None
