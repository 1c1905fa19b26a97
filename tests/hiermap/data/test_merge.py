"""Shards of a collection, merged: what one job would have stored."""

from pathlib import Path

import pytest

from hiermap.cli import main
from hiermap.data import manifest
from hiermap.data.merge import merge
from hiermap.data.verify import verify
from hiermap.system.files import file_sha256
from hiermap.worlds.errors import DataError

TOY = ["source=toy", "interactions=20", "interactions_per_episode=4", "seed=7"]


def collected(out: Path, *words: str) -> Path:
    assert main(["collect", f"out={out}", *TOY, "workers=0", *words]) == 0
    return out


def hashes(directory: Path) -> dict[str, str]:
    return {path.name: file_sha256(path) for path in directory.glob("*.npz")}


@pytest.fixture
def shards(tmp_path: Path) -> list[Path]:
    return [collected(tmp_path / f"shard-{i}", f"shard={i}/3") for i in (1, 2, 3)]


def test_merged_shards_are_the_episodes_of_one_job(tmp_path: Path, shards: list[Path]) -> None:
    whole = collected(tmp_path / "whole")
    assert main(["data", "merge", str(tmp_path / "merged"), *map(str, shards)]) == 0
    assert hashes(tmp_path / "merged") == hashes(whole) and len(hashes(whole)) == 5
    report = verify(tmp_path / "merged")
    assert report.clean and report.good == 5 and report.unlisted == ()


def test_merging_again_adds_nothing_and_the_job_goes_on_from_there(tmp_path: Path, shards: list[Path]) -> None:
    assert (merge(tmp_path / "merged", shards), merge(tmp_path / "merged", shards)) == (5, 0)
    lines = (tmp_path / "merged" / manifest.NAME).read_bytes()
    collected(tmp_path / "merged")
    assert (tmp_path / "merged" / manifest.NAME).read_bytes() == lines


def test_seeds_that_gave_nothing_are_remembered(tmp_path: Path, shards: list[Path]) -> None:
    manifest.append(shards[0], {"state": manifest.VOID, "file": "toy-000000100.npz", "seed": 100, "reason": "PhysicsError: diverged"})
    merge(tmp_path / "merged", shards)
    assert manifest.read_manifest(tmp_path / "merged").current["toy-000000100.npz"]["state"] == manifest.VOID


def test_two_different_episodes_of_one_seed_do_not_merge(tmp_path: Path) -> None:
    one, other = collected(tmp_path / "one"), collected(tmp_path / "other", "interactions_per_episode=5")
    with pytest.raises(DataError, match="differs"):
        merge(tmp_path / "merged", [one, other])


def test_a_damaged_episode_does_not_merge(tmp_path: Path, shards: list[Path]) -> None:
    (shards[1] / "toy-000000008.npz").write_bytes(b"damaged")
    with pytest.raises(DataError, match="data verify"):
        merge(tmp_path / "merged", shards)
    assert verify(tmp_path / "merged").clean
