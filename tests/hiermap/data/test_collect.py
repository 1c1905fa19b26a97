import os
import signal
import subprocess
import sys
import time

import pytest

from hiermap.cli import main
from hiermap.data import collect as collect_module
from hiermap.data import manifest
from hiermap.data.collect import CollectSettings, collect
from hiermap.data.verify import verify
from hiermap.system.config import load_config, typed
from hiermap.system.files import file_sha256
from hiermap.system.run_folder import RECORD, locked
from hiermap.worlds.errors import ConfigError, DataError, HiermapError


def command(directory, interactions, *more):
    words = ["collect", f"out={directory}", "source=toy", f"interactions={interactions}", "interactions_per_episode=4", "workers=2", *more]
    return [sys.executable, "-m", "hiermap", *words]


def heed_interrupts():
    """A background shell starts its children with SIGINT ignored; the collector under test is to hear it all the same."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def start(directory, interactions):
    return subprocess.Popen(
        command(directory, interactions),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
        preexec_fn=heed_interrupts,
    )


def hashes(directory):
    return {path.name: file_sha256(path) for path in directory.glob("*.npz")}


def test_collect_stores_what_was_asked_and_the_same_command_adds_nothing(tmp_path):
    config = load_config("collect", [f"out={tmp_path}", "source=toy", "interactions=20", "interactions_per_episode=4", "seed=3"])
    collect(config)
    first = hashes(tmp_path)
    assert sorted(first) == [f"toy-{seed:09d}.npz" for seed in range(3, 8)]
    lines = (tmp_path / manifest.NAME).read_bytes()
    collect(config)
    assert hashes(tmp_path) == first and (tmp_path / manifest.NAME).read_bytes() == lines
    collect({**config, "interactions": 24})
    assert len(hashes(tmp_path)) == 6 and verify(tmp_path).clean


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_whole_episodes_and_its_exit_code(tmp_path, number, code):
    process = start(tmp_path, 10**6)
    while not list(tmp_path.glob("*.npz")) and process.poll() is None:
        time.sleep(0.01)
    os.killpg(process.pid, number) if number == signal.SIGINT else os.kill(process.pid, number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == code, errors
    assert "Traceback" not in errors and "what was finished is kept" in errors
    assert verify(tmp_path).clean and not list(tmp_path.glob(".*.npz.*"))


def test_a_second_collect_in_the_same_directory_is_refused(tmp_path):
    config = load_config("collect", [f"out={tmp_path}", "source=toy", "interactions=4"])
    with locked(tmp_path), pytest.raises(DataError, match="another process"):
        collect(config)


def test_a_file_too_large_for_the_quota_is_a_clear_error_and_leaves_nothing_half_written(tmp_path):
    script = f"ulimit -f 8; exec {' '.join(command(tmp_path, 40))} interactions_per_episode=40"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "free space and run the same command again" in done.stderr, done.stderr
    assert [path.name for path in tmp_path.iterdir() if path.stat().st_size] == [RECORD]


def test_a_seed_that_fails_is_void_and_not_tried_again(tmp_path, monkeypatch):
    config = load_config("collect", [f"out={tmp_path}", "source=toy", "interactions=8", "interactions_per_episode=4", "workers=0"])
    collect({**config, "shard": "2/3", "interactions": 8})
    manifest.append(tmp_path, {"state": manifest.VOID, "file": "toy-000000000.npz", "seed": 0, "reason": "PhysicsError: diverged"})
    collect(config)
    assert sorted(hashes(tmp_path)) == ["toy-000000001.npz", "toy-000000002.npz"]


def test_when_every_seed_fails_collect_says_why(tmp_path, monkeypatch):
    settings = typed(CollectSettings, load_config("collect", [f"out={tmp_path}", "source=toy"]))
    monkeypatch.setitem(collect_module.SOURCES, "toy", "math:sqrt")
    record, content = collect_module._work(settings, 0)
    assert content is None
    assert record["reason"].startswith("TypeError")
    with collect_module.tqdm(total=1, disable=True) as bar, pytest.raises(HiermapError, match="no episode"):
        collect_module._list(tmp_path, record, {seed: record for seed in range(100)}, bar)


@pytest.mark.parametrize("word", ["interactions=0", "workers=-1", "source=dreams", "seed=-1", "random_share=1.5"])
def test_an_unusable_value_is_a_config_error_that_names_it(tmp_path, word):
    with pytest.raises(ConfigError, match=word.split("=")[0]):
        collect(load_config("collect", [f"out={tmp_path}", word]))


def test_weights_that_do_not_exist_stop_collect_before_it_starts(tmp_path):
    with pytest.raises(DataError, match="no weights at 'nowhere'"):
        collect(load_config("collect", [f"out={tmp_path / 'd'}", "weights=nowhere"]))
    assert not (tmp_path / "d").exists()


def test_collecting_into_a_file_is_a_usage_error(tmp_path, capsys):
    (tmp_path / "file").write_text("x")
    assert main(["collect", f"out={tmp_path / 'file'}", "source=toy"]) == 2
    assert "is a file" in capsys.readouterr().err
