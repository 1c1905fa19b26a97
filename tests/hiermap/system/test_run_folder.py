"""Whose a folder is: the same run goes on, every other one is refused, and nothing is removed that hiermap did not make."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hiermap.cli import main
from hiermap.system import provenance, run_folder
from hiermap.system.run_folder import LOCK, MADE, RECORD, clear, directory, fingerprint, locked, owned
from hiermap.worlds.errors import ConfigError, DataError

RUN = {"command": "evaluate", "seed": 1, "budget.seconds": 2.0, "commit": "abc", "episodes": 10}
TOY = ["suite=chain-2", "kitchen=toy", "world=simulator", "maps=oracle", "episodes=2", "seed=160000", "workers=0", "progress=false"]
COLLECT = ["source=toy", "interactions=8", "interactions_per_episode=4", "workers=0"]


def begun(folder: Path, *files: str) -> Path:
    """The folder of `RUN`, with files in it."""
    with owned(folder, RUN):
        for name in files:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text("of the first run")
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != LOCK}


def test_the_same_run_finds_what_it_left(tmp_path: Path) -> None:
    before = content(begun(tmp_path / "out", "run.json"))
    with owned(tmp_path / "out", RUN) as folder:
        assert content(folder) == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"command": "plan"}, 'command is "evaluate" there and "plan" now'),
        ({"budget.seconds": 3.0}, "budget.seconds is 2.0 there and 3.0 now"),
        ({"commit": None}, 'commit is "abc" there and null now'),
        ({"episodes": 9}, "episodes is 10 there and 9 now"),
        ({"more": True}, "more is null there and true now"),
    ],
)
def test_another_run_is_refused_by_the_first_difference_and_changes_nothing(tmp_path: Path, change: dict, words: str) -> None:
    before = content(begun(tmp_path, "run.json"))
    with (
        pytest.raises(ConfigError, match=f"{words}; take another out=, or overwrite=true"),
        owned(tmp_path, RUN | change, grows=["episodes"]),
    ):
        pass
    assert content(tmp_path) == before


def test_a_folder_within_too_many_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"lies in \d+ folders within each other, expected at most 200"):
        directory(tmp_path / ("a/" * 2000))


def test_what_may_grow_grows_and_is_remembered(tmp_path: Path) -> None:
    begun(tmp_path, "run.json")
    for more in (20, None):
        with owned(tmp_path, RUN | {"episodes": more}, grows=["episodes"]):
            pass
    with pytest.raises(ConfigError, match="episodes is null there"), owned(tmp_path, RUN, grows=["episodes"]):
        pass


@pytest.mark.parametrize("command", MADE)
def test_overwriting_leaves_none_of_the_old_files_and_all_of_somebodys(tmp_path: Path, command: str) -> None:
    mine = ["notes.txt", "failures/notes.txt", "failures/0001.png", "checkpoints/mine.ckpt", "photo.npz", "step_by_step.png", ".bashrc"]
    ours = [
        pattern.replace("[0-9]*", "7").replace("[0-9]", "7").replace("[cgps]*", "chain-1").replace("*", f"x{number}")
        for number, pattern in enumerate(MADE[command])
    ]
    with owned(tmp_path, {**RUN, "command": command}):
        for name in (*ours, *mine):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
    other = "plan" if command != "plan" else "train"
    with owned(tmp_path, {"command": other}, overwrite=True):
        assert content(tmp_path) == {**{name: name.encode() for name in mine}, RECORD: (tmp_path / RECORD).read_bytes()}
        assert json.loads((tmp_path / RECORD).read_text()) == {"command": other}


def test_a_folder_of_nobodys_is_refused_and_only_names_of_ours_are_taken_from_it(tmp_path: Path) -> None:
    for name in ("thesis.tex", "run.json"):
        (tmp_path / name).write_text("mine")
    (tmp_path / "photos").mkdir()
    with pytest.raises(ConfigError, match=r"is not empty.*overwrite=true"), owned(tmp_path, RUN):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"thesis.tex", "run.json", "photos"}
    with owned(tmp_path, RUN, overwrite=True):
        assert {path.name for path in tmp_path.iterdir()} == {"thesis.tex", "photos", RECORD, LOCK}


@pytest.mark.parametrize(("name", "command"), [("README.md", "train"), ("config.json", "train"), ("report.html", "plan")])
def test_a_name_that_anybody_may_use_is_never_removed_from_a_folder_of_nobodys(tmp_path: Path, name: str, command: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigError, match=f"{name} there may be somebody's"), owned(tmp_path, {"command": command}, overwrite=True):
        pass
    with owned(tmp_path, {"command": "collect"}, overwrite=True):
        assert (tmp_path / name).read_text() == "mine"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"command": "../../*"}', '{"command": "rm"}', '{"command": [[]]}'])
def test_a_damaged_record_makes_a_folder_nobodys(tmp_path: Path, text: str) -> None:
    begun(tmp_path, "run.json")
    (tmp_path / RECORD).write_text(text)
    with pytest.raises(ConfigError, match=RECORD), owned(tmp_path, RUN):
        pass
    with owned(tmp_path, RUN, overwrite=True):
        assert not (tmp_path / "run.json").exists()


def test_a_folder_in_which_nothing_was_made_belongs_to_nobody(tmp_path: Path) -> None:
    begun(tmp_path)
    with owned(tmp_path, {"command": "plan"}):
        assert json.loads((tmp_path / RECORD).read_text()) == {"command": "plan"}


def test_what_is_read_is_not_overwritten(tmp_path: Path) -> None:
    before = content(begun(tmp_path, "manifest.jsonl"))
    with pytest.raises(ConfigError, match="is read by this command"), owned(tmp_path, RUN, overwrite=True, reads=[None, tmp_path / "."]):
        pass
    assert content(tmp_path) == before


def test_what_a_link_leads_to_is_kept(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("theirs")
    begun(tmp_path / "out")
    (tmp_path / "out" / "run.json").symlink_to(tmp_path / "theirs")
    clear(tmp_path / "out", "evaluate")
    assert (tmp_path / "theirs").read_text() == "theirs" and not (tmp_path / "out" / "run.json").is_symlink()


def test_halves_that_a_killed_writer_left_are_removed(tmp_path: Path) -> None:
    begun(tmp_path, ".run.json.0123456789abcdef", "failures/.x.png.0123456789abcdef", ".mine.0123")
    with owned(tmp_path, RUN):
        assert set(content(tmp_path)) == {RECORD, ".mine.0123"}


def test_a_folder_is_held_by_one_process_and_not_by_a_child_that_outlives_it(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(DataError, match="another process"), locked(tmp_path):
        pass
    script = "import os, sys, time; from pathlib import Path; from hiermap.system.run_folder import locked\n"
    script += "held = locked(Path(sys.argv[1])); held.__enter__()\nif os.fork() == 0: print(flush=True); time.sleep(600)\nelse: os._exit(0)"
    child = subprocess.Popen([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE, start_new_session=True)
    child.stdout.readline()
    child.wait()
    with locked(tmp_path):
        os.killpg(child.pid, 9)


@hypothesis_settings(deadline=None)
@given(config=st.dictionaries(st.sampled_from("abc"), st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3)), min_size=1))
def test_a_fingerprint_tells_apart_whatever_takes_part(config: dict) -> None:
    about = {"config": {"section": config, "out": "x"}, "commit": "abc", "machine": "mine", "versions": {"numpy": "1"}}
    found = fingerprint(about, ["out"])
    assert found == {**{f"section.{key}": value for key, value in config.items()}, "commit": "abc", "versions.numpy": "1"}
    assert fingerprint({**about, "machine": "another", "config": {**about["config"], "out": "y"}}, ["out"]) == found
    assert fingerprint(about, ["out", "section"]) == {"commit": "abc", "versions.numpy": "1"}


def test_commands_refuse_each_others_folders(tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    data, rows = str(tmp_path / "data"), str(tmp_path / "rows")
    assert main(["collect", f"out={data}", *COLLECT]) == 0
    assert main(["evaluate", f"out={rows}", *TOY]) == 0
    before = content(tmp_path)
    refused = [
        (["collect", f"out={data}", *COLLECT, "seed=5"], "seed is 0 there and 5 now"),
        (["collect", f"out={rows}", *COLLECT], 'command is "evaluate" there'),
        (["evaluate", f"out={rows}", *TOY, "max_replans=3"], "max_replans is 8 there and 3 now"),
        (["evaluate", f"out={data}", *TOY], 'command is "collect" there'),
        (["train", f"out={data}", f"data={data}"], 'command is "collect" there'),
        (["train", f"out={data}", f"data={data}", "overwrite=true"], "is read by this command"),
        (["results", "merge", data, rows], 'command is "collect" there'),
        (["results", "merge", rows, rows, "overwrite=true"], "is read by this command"),
        (["data", "merge", rows, data], 'command is "evaluate" there'),
    ]
    for words, why in refused:
        assert main(words) == 2 and why in capsys.readouterr().err, words
    monkeypatch.setattr(provenance, "commit", lambda: "another")
    for words in (["collect", f"out={data}", *COLLECT], ["evaluate", f"out={rows}", *TOY]):
        assert main(words) == 2 and 'and "another" now' in capsys.readouterr().err
    assert content(tmp_path) == before
    assert main(["data", "merge", rows, data, "overwrite=true"]) == 0
    assert set(content(Path(rows))) == set(content(Path(data)))
    assert main(["results", "merge", rows, data, "overwrite=true"]) == 2, "there is no evaluation in it"
    assert set(content(Path(rows))) == set(content(Path(data)))


def test_every_command_of_a_folder_is_in_the_table() -> None:
    folder = Path(run_folder.__file__).parents[1]
    text = "".join(path.read_text() for path in folder.rglob("*.py") if path.name != "run_folder.py")
    assert all(f'"command": "{command}"' in text for command in MADE)


@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_a_disk_that_is_full_at_any_write_is_named_and_leaves_what_was_there(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    words = ["evaluate", f"out={tmp_path}", *TOY]
    assert main(words) == 0
    real, left = getattr(os, where), [0]

    def full(*arguments: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*arguments)

    codes = []
    for left[0] in range(8):
        with monkeypatch.context() as patch:
            patch.setattr(os, where, full)
            codes.append(main(words))
        said = capsys.readouterr().err
        assert codes[-1] == 0 or (f"No space left to write {tmp_path}" in said and "free space" in said)
        for name in ("run.json", "eval_info.json"):
            json.loads((tmp_path / name).read_text())
        assert len((tmp_path / "episodes.csv").read_text().splitlines()) == 3 and not list(tmp_path.glob(run_folder.TEMPORARY))
    assert codes[0] == 1 and codes[-1] == 0


def test_a_report_for_which_there_is_no_room_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    assert main(["evaluate", f"out={tmp_path}", *TOY]) == 0 and main(["report", str(tmp_path)]) == 0
    before = (tmp_path / "report.html").read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert main(["report", str(tmp_path)]) == 1
    assert f"No space left to write {tmp_path}/report.html" in capsys.readouterr().err
    assert (tmp_path / "report.html").read_bytes() == before
    (tmp_path / "report.html").write_text("somebody's")
    assert main(["report", str(tmp_path)]) == 2 and "was not written by hiermap" in capsys.readouterr().err
    assert main(["report", str(tmp_path), "overwrite=true"]) == 0 and (tmp_path / "report.html").read_bytes() == before
