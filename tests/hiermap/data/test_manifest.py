import errno
import os

import pytest

from hiermap.data import manifest
from hiermap.data.episodes import file_name
from hiermap.system.files import DiskFullError

A, B = file_name("toy", 1), file_name("toy", 2)


def line(name, state=manifest.FINISHED):
    counts = dict.fromkeys(("bytes", "views", "transitions"), 0)
    return {"state": state, "file": name, "seed": int(name[-13:-4]), "source": "toy", "sha256": "", "primitives": {}, **counts}


def test_a_missing_manifest_is_empty(tmp_path):
    assert manifest.read_manifest(tmp_path).current == {}


def test_a_torn_last_line_is_counted_and_the_next_record_survives_it(tmp_path):
    manifest.append(tmp_path, line(A))
    with open(tmp_path / manifest.NAME, "a") as file:
        file.write('{"state": "finis')
    assert manifest.read_manifest(tmp_path).torn == (2,)
    manifest.append(tmp_path, line(B))
    read = manifest.read_manifest(tmp_path)
    assert list(read.finished) == [A, B] and read.torn == (2,) and read.twice == ()


def test_a_record_that_names_a_path_outside_is_not_a_record(tmp_path):
    manifest.append(tmp_path, line("../../" + A))
    read = manifest.read_manifest(tmp_path)
    assert read.current == {} and read.torn == (1,)


def test_a_file_listed_twice_is_named_unless_it_was_set_aside_between(tmp_path):
    for name, state in ((A, "finished"), (A, "finished"), (B, "finished"), (B, "quarantined"), (B, "finished")):
        manifest.append(tmp_path, line(name, state))
    assert manifest.read_manifest(tmp_path).twice == (A,)


def test_a_full_disk_takes_the_half_written_line_back(tmp_path, monkeypatch):
    manifest.append(tmp_path, line(A))
    before = (tmp_path / manifest.NAME).read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFullError):
        manifest.append(tmp_path, line(B))
    assert (tmp_path / manifest.NAME).read_bytes() == before


def test_quarantine_never_overwrites(tmp_path):
    for content in (b"one", b"two"):
        (tmp_path / A).write_bytes(content)
        manifest.quarantine(tmp_path, A, "damaged")
    kept = {path.name: path.read_bytes() for path in (tmp_path / "quarantine").iterdir()}
    assert kept == {A: b"one", f"{A}.1": b"two"}
