import errno
import io
import os
import pickle
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from hiermap.data import episodes
from hiermap.data.episodes import episode_path, file_name, read_episode, write_episode
from hiermap.data.toy_episodes import toy_episode
from hiermap.system.files import DiskFullError
from hiermap.worlds.errors import DataError

NAME = file_name("toy", 7)


def test_what_is_written_is_read_back_equal(tmp_path):
    episode = toy_episode(7)
    back = read_episode(write_episode(tmp_path, NAME, episode))
    for key in episodes.SHAPES:
        np.testing.assert_array_equal(getattr(back, key), getattr(episode, key))
    assert dict(back.meta) == dict(episode.meta)


def test_the_same_episode_gives_the_same_bytes(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_episode(tmp_path / folder, NAME, toy_episode(7))
    assert (tmp_path / "a" / NAME).read_bytes() == (tmp_path / "b" / NAME).read_bytes()


def test_masks_unpack_to_the_frame(tmp_path):
    episode = toy_episode(7)
    assert episode.masks().shape == (2, 12, 16)
    np.testing.assert_array_equal(np.packbits(episode.masks(), axis=-1), episode.masks_packed)


@pytest.mark.parametrize("name", ["../toy-000000007.npz", "/etc/passwd", "toy-7.npz", "toy-000000007.npz/..", "x.npz", ""])
def test_a_name_that_is_not_an_episodes_is_refused(tmp_path, name):
    with pytest.raises(DataError, match="no episode's name"):
        episode_path(tmp_path, name)


def test_a_link_out_of_the_directory_is_refused(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    write_episode(tmp_path / "out", NAME, toy_episode(7))
    (tmp_path / "in" / NAME).symlink_to(tmp_path / "out" / NAME)
    with pytest.raises(DataError, match="outside"):
        read_episode(tmp_path / "in" / NAME)


@pytest.mark.parametrize("keep", [0, 10, 100, 0.5, 0.99])
def test_a_truncated_file_is_a_data_error(tmp_path, keep):
    write_episode(tmp_path, NAME, toy_episode(7))
    content = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(content[: int(keep * len(content)) if keep < 1 else keep])
    with pytest.raises(DataError, match=NAME):
        read_episode(tmp_path / NAME)


def test_any_flipped_byte_is_a_data_error_or_harmless(tmp_path):
    write_episode(tmp_path, NAME, toy_episode(7))
    content = (tmp_path / NAME).read_bytes()
    rng = np.random.default_rng(0)
    for at in rng.integers(0, len(content), 60):
        (tmp_path / NAME).write_bytes(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])
        try:
            read_episode(tmp_path / NAME)
        except DataError as error:
            assert NAME in str(error)


def test_a_pickled_array_is_refused_unread(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "exploded"),))

    write_episode(tmp_path, NAME, toy_episode(7))
    with zipfile.ZipFile(tmp_path / NAME) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    parts["rgb.npy"] = header.getvalue() + pickle.dumps(np.array([Bomb()], dtype=object))
    with zipfile.ZipFile(tmp_path / NAME, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    with pytest.raises(DataError, match="not a readable episode"):
        read_episode(tmp_path / NAME)
    assert not (tmp_path / "exploded").exists()


def test_a_foreign_archive_names_what_is_missing_and_foreign(tmp_path):
    np.savez(tmp_path / NAME, weights=np.zeros(3))
    with pytest.raises(DataError, match=r"missing \['after'.*foreign \['weights'\]"):
        read_episode(tmp_path / NAME)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"before": np.full(4, 5, dtype=np.int16)}, "before spans 5 to 5, expected 0 to 4"),
        ({"cell": np.full((4, 2), 16, dtype=np.int16)}, "outside the 12 x 16 frame"),
        ({"rotation": np.full(4, 4, dtype=np.int8)}, "rotation spans 4"),
        ({"point_world": np.full((4, 3), np.nan, dtype=np.float32)}, "point_world holds NaN"),
        ({"fractions": np.zeros((4, 1), dtype=np.float32)}, "V is 5 elsewhere"),
        ({"effect": np.zeros(4, dtype=np.int64)}, "effect is int64, expected bool"),
        ({"unary": np.full((5, 2, 5), 2, dtype=np.uint8)}, "unary must be 0, 1 or 255"),
        ({"meta": {"seed": 7, "source": "toy", "joints": []}}, "joints"),
        ({"meta": {"seed": 8, "source": "toy", "joints": ["door"]}}, "renamed"),
    ],
)
def test_an_inconsistent_record_is_never_written(tmp_path, change, message):
    broken = replace(toy_episode(7), **change)
    with pytest.raises(DataError, match=message):
        write_episode(tmp_path, NAME, broken)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_a_clear_error_and_leaves_nothing(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFullError, match="free space and run the same command again"):
        write_episode(tmp_path, NAME, toy_episode(7))
    assert list(tmp_path.iterdir()) == []
