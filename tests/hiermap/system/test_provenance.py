"""Where results come from, and goals in words."""

import hashlib
import json
import platform
from pathlib import Path

from hiermap.data.manifest import described
from hiermap.evaluation.suites import RunOptions
from hiermap.model.locate import trained_on, weights_directory
from hiermap.system import provenance
from hiermap.system.files import file_sha256
from hiermap.system.provenance import machine, settings
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


def test_the_machine_is_told_without_its_name(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Some Processor 9000 \n")
    monkeypatch.setattr(provenance, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(provenance, "cores", lambda: 3)
    assert machine() == f"{platform.system()} {platform.machine()}, Some Processor 9000, 3 cores"
    monkeypatch.setattr(provenance, "CPU_INFO", tmp_path / "absent")
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert machine() == f"{platform.system()} {platform.machine()}, unknown processor, 3 cores"


def test_data_are_named_by_their_manifest_and_follow_the_weights(tmp_path: Path) -> None:
    data, weights_file = tmp_path / "rules", tmp_path / "weights" / "model.safetensors"
    data.mkdir()
    weights_file.parent.mkdir()
    assert described(data) == {"name": "rules", "manifest_sha256": None}
    (data / "manifest.jsonl").write_text("{}\n")
    about = settings({"data": "rules"}, data=described(data))
    assert about["data"] == {"name": "rules", "manifest_sha256": hashlib.sha256(b"{}\n").hexdigest()}
    assert trained_on(None) is None and trained_on(weights_file) is None
    (weights_file.parent / "config.json").write_text(json.dumps(about))
    assert trained_on(weights_file) == about["data"]


def test_weights_from_before_the_digest_tell_the_name_of_their_data() -> None:
    told = trained_on(weights_directory("default") / "model.safetensors")
    assert told is not None and told["name"]


def test_an_installed_package_without_a_checkout_has_no_commit(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "site" / "hiermap" / "system" / "provenance.py"))
    assert provenance.commit() is None


def test_weights_are_only_asked_for_where_something_learned_is_used(tmp_path: Path) -> None:
    oracle = RunOptions(maps="oracle", world="simulator", weights=str(tmp_path / "absent"))
    assert oracle.weights_file("chain-3") is None
    assert oracle.weights_file("primitives") is None
