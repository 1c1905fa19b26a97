from dataclasses import replace

from hiermap.cli import main
from hiermap.data import manifest
from hiermap.data.episodes import file_name, write_episode
from hiermap.data.toy_episodes import toy_episode
from hiermap.data.verify import info, verify


def store(directory, seed, episode=None):
    episode = episode or toy_episode(seed)
    name = file_name("toy", seed)
    manifest.append(directory, manifest.describe(name, write_episode(directory, name, episode).read_bytes(), episode))
    return name


def test_whole_data_is_clean(tmp_path):
    for seed in range(3):
        store(tmp_path, seed)
    report = verify(tmp_path)
    assert report.clean and report.good == 3


def test_a_damaged_shard_is_moved_aside_and_named(tmp_path, capsys):
    names = [store(tmp_path, seed) for seed in range(3)]
    content = (tmp_path / names[1]).read_bytes()
    (tmp_path / names[1]).write_bytes(content[:-100])
    assert main(["data", "verify", str(tmp_path)]) == 1
    assert names[1] in capsys.readouterr().out
    assert (tmp_path / "quarantine" / names[1]).read_bytes() == content[:-100]
    assert main(["data", "verify", str(tmp_path)]) == 0, "what is set aside is no longer promised"


def test_a_vanished_shard_is_missing_once(tmp_path):
    name = store(tmp_path, 0)
    (tmp_path / name).unlink()
    assert verify(tmp_path).missing == (name,)
    assert verify(tmp_path).clean


def test_badly_calibrated_views_are_set_aside(tmp_path):
    episode = toy_episode(0)
    name = store(tmp_path, 0, replace(episode, meta={**episode.meta, "calibration_error_px": 0.31}))
    assert "0.31 px" in verify(tmp_path).quarantined[name]


def test_a_foreign_file_is_set_aside_and_a_whole_unlisted_one_is_not(tmp_path):
    (tmp_path / "notes.npz").write_bytes(b"hello")
    write_episode(tmp_path, file_name("toy", 5), toy_episode(5))
    report = verify(tmp_path)
    assert list(report.quarantined) == ["notes.npz"] and report.unlisted == (file_name("toy", 5),)


def test_a_primitive_hardly_tried_is_called_rare(tmp_path):
    episode = toy_episode(0, 40)
    episode.primitive[:] = [0, 1, 2, 3] * 10
    store(tmp_path, 0, episode)
    assert verify(tmp_path).rare == ("rotate",)


def test_info_counts_from_the_manifest(tmp_path):
    store(tmp_path, 0)
    text = info(tmp_path)
    assert "1 episodes, 4 transitions, 5 views" in text and "toy 1" in text


def test_a_directory_that_is_not_there_is_a_usage_error(tmp_path, capsys):
    assert main(["data", "verify", str(tmp_path / "none")]) == 2
    assert "is not a directory" in capsys.readouterr().err
