"""A data directory as a LeRobotDataset v3.0: what LeRobot documents is there field by field, and what comes back is what was there."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hiermap.cli import main
from hiermap.data import manifest
from hiermap.data.episodes import SHAPES, Episode, encode, file_name, read_episode, store, write_episode
from hiermap.data.exchange import frames, layout, statistics
from hiermap.data.toy_episodes import toy_episode
from hiermap.data.verify import verify
from hiermap.system.run_folder import LOCK, RECORD, clear
from hiermap.worlds.legend import FIRST, registered

SUBTASKS = [*registered().primitives, layout.END]


def walk(seed: int, before: list[int], after: list[int], views: int) -> Episode:
    """A toy episode of these transitions between so many views."""
    whole, part = toy_episode(seed, max(views - 1, 1)), toy_episode(seed + 1, max(len(before), 1))
    letters = {name: letters for name, (_, letters) in SHAPES.items()}
    cut = {name: getattr(whole, name)[:views] for name in SHAPES if letters[name].startswith("V")}
    cut |= {name: getattr(part, name)[: len(before)] for name in SHAPES if letters[name].startswith("T")}
    return replace(whole, **{**cut, "before": np.array(before, np.int16), "after": np.array(after, np.int16)})


BRANCHING = ([0, 1, 1, 0, 3, 3], [1, 1, 2, 3, 4, 3])


def put(directory: Path, name: str, content: bytes) -> None:
    path = store(directory, name, content)
    manifest.append(directory, manifest.describe(name, content, read_episode(path)))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection of toy episodes, one of which begins again from an earlier view, one older than goals, and a seed that gave nothing."""
    directory = tmp_path_factory.mktemp("data") / "toy"
    words = ["source=toy", "interactions=12", "interactions_per_episode=4", "seed=7", "workers=0"]
    assert main(["collect", f"out={directory}", *words]) == 0
    manifest.append(directory, {"state": "void", "file": file_name("toy", 20), "seed": 20, "reason": "PhysicsError: diverged"})
    name = file_name("toy", 21)
    put(directory, name, encode(name, walk(21, *BRANCHING, 6)))
    older, name = toy_episode(22), file_name("toy", 22)
    meta = {key: value for key, value in older.meta.items() if key != "legend"}
    put(directory, name, encode(name, replace(older, meta=meta), {"goals", "goal_steps"}))
    return directory


@pytest.fixture(scope="module")
def exported(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported") / "lerobot"
    assert main(["data", "export", str(data), "format=lerobot", f"out={out}"]) == 0
    return out


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file() and path.name != LOCK}


def test_what_comes_back_is_byte_for_byte_what_was_exported(data: Path, exported: Path, tmp_path: Path) -> None:
    assert main(["data", "import", str(exported), "format=lerobot", f"out={tmp_path / 'back'}"]) == 0
    assert contents(tmp_path / "back") == contents(data) and len(contents(data)) == 3 + 2 + 2
    assert verify(tmp_path / "back").good == 5
    words = ["source=toy", "interactions=20", "interactions_per_episode=4", "seed=7", "workers=0"]
    assert main(["collect", f"out={tmp_path / 'back'}", *words]) == 0, "the collection goes on from there"


def test_taking_it_in_again_adds_nothing(exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    command = ["data", "import", str(exported), "format=lerobot", f"out={tmp_path / 'back'}"]
    assert main(command) == 0
    before = contents(tmp_path / "back")
    capsys.readouterr()
    assert main(command) == 0 and ": 0 new episodes" in capsys.readouterr().out
    assert contents(tmp_path / "back") == before


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_frames_tell_every_walk_whole(drawn: st.DataObject) -> None:
    views = drawn.draw(st.integers(1, 5))
    pairs = drawn.draw(st.lists(st.tuples(*[st.integers(0, views - 1)] * 2), max_size=8))
    episode = walk(3, [a for a, _ in pairs], [b for _, b in pairs], views)
    found = frames.runs(episode)
    for run in found:
        assert run[-1][1] == layout.NOTHING and layout.NOTHING not in [transition for _, transition in run[:-1]]
        assert [view for view, _ in run[1:]] == [episode.after[transition] for _, transition in run[:-1]]
    assert [transition for run in found for _, transition in run[:-1]] == list(range(len(pairs)))
    parts = [frames.columns(episode, run, SUBTASKS) for run in found]
    joined = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    back = frames.arrays(joined, views, episode.legend.primitives, SUBTASKS)
    assert set(back) == frames.IN_FRAMES
    for name, value in back.items():
        assert value.dtype == np.dtype(SHAPES[name][0]) and np.array_equal(value, getattr(episode, name)), name


def test_info_is_what_lerobot_documents(exported: Path) -> None:
    info = json.loads((exported / "meta/info.json").read_text())
    features = info.pop("features")
    assert info == {
        "codebase_version": "v3.0",
        "robot_type": "panda",
        "total_episodes": 4 + 4,
        "total_frames": 4 * 5 + 4 + 3 + 2 + 1,
        "total_tasks": 1,
        "chunks_size": 1000,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": 1,
        "splits": {"train": "0:8"},
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": None,
    }
    for name, dtype in {"timestamp": "float32", **dict.fromkeys(("frame_index", "episode_index", "index", "task_index"), "int64")}.items():
        assert features[name] == {"dtype": dtype, "shape": [1], "names": None}, "LeRobot's own features"
    assert features["observation.images.oblique"] == {"dtype": "image", "shape": [12, 16, 3], "names": ["height", "width", "channels"]}
    assert features["observation.depth"] == {"dtype": "uint16", "shape": [12, 16], "names": ["height", "width"]}
    assert features["action"]["shape"] == [len(features["action"]["names"])] == [10]
    assert all(set(feature) == {"dtype", "shape", "names"} and "/" not in name for name, feature in features.items())


TYPES = {"float32": pa.float32(), "int64": pa.int64(), "bool": pa.bool_(), "string": pa.string()}


def test_frames_have_the_types_of_their_features(exported: Path) -> None:
    features = json.loads((exported / "meta/info.json").read_text())["features"]
    table = pq.read_table(exported / "data/chunk-000/file-000.parquet")
    assert table.schema.names == list(features)
    for name, feature in features.items():
        if feature["shape"] == [1]:
            assert table.schema.field(name).type == TYPES[feature["dtype"]]
    assert table.schema.field("action").type == pa.list_(pa.float32(), 10)
    assert table.schema.field("observation.depth").type == pa.list_(pa.list_(pa.uint16()))
    assert table.schema.field("observation.images.oblique").type == pa.struct({"bytes": pa.binary(), "path": pa.string()})
    assert table.column("index").to_pylist() == list(range(len(table)))


def test_every_frame_shows_what_its_transition_started_from(data: Path, exported: Path) -> None:
    subtasks = pq.read_table(exported / "meta/subtasks.parquet").column("__index_level_0__").to_pylist()
    assert subtasks == ["grasp", "place", "push", "pull", "rotate", "end"]
    for row in pq.read_table(exported / "data/chunk-000/file-000.parquet").to_pylist():
        episode = read_episode(data / f"{row['hiermap.episode']}.npz")
        view, transition = row["hiermap.view"], row["hiermap.transition"]
        image = np.asarray(Image.open(io.BytesIO(row["observation.images.oblique"]["bytes"])))
        assert np.array_equal(image, episode.rgb[view]) and np.array_equal(row["observation.depth"], episode.depth_mm[view])
        assert row["timestamp"] == row["frame_index"] and row["observation.state"] == episode.holding[view]
        assert row["next.done"] == (transition < 0) and (subtasks[row["subtask_index"]] == "end") == (transition < 0)
        if transition >= 0:
            action = np.array(row["action"], np.float32)
            assert subtasks[row["subtask_index"]] == episode.legend.primitives[episode.primitive[transition]] == subtasks[int(action[0])]
            assert (view, row["next.success"]) == (episode.before[transition], episode.effect[transition])
            assert np.array_equal(action[1:4], [episode.rotation[transition], *episode.cell[transition]])
            assert np.array_equal(action[4:], [*episode.point_world[transition], *episode.normal_world[transition]])


def test_episodes_lie_where_their_rows_say(exported: Path) -> None:
    rows = pq.read_table(exported / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    table = pq.read_table(exported / "data/chunk-000/file-000.parquet")
    assert [row["length"] for row in rows] == [5, 5, 5, 4, 3, 2, 1, 5]
    for number, row in enumerate(rows):
        own = table.slice(row["dataset_from_index"], row["length"])
        assert set(own.column("episode_index").to_pylist()) == {row["episode_index"]} == {number}
        assert own.column("frame_index").to_pylist() == list(range(row["dataset_to_index"] - row["dataset_from_index"]))
        assert row["tasks"] == ["explore a kitchen (toy)"]
        assert all(row[f"{where}/{which}_index"] == 0 for where in ("data", "meta/episodes") for which in ("chunk", "file"))
        assert row["stats/action/max"] == np.array(own.column("action").to_pylist()).max(0).tolist()


def test_tasks_are_rows_that_pandas_names(exported: Path) -> None:
    tasks = pq.read_table(exported / "meta/tasks.parquet")
    assert tasks.to_pylist() == [{"task_index": 0, "__index_level_0__": "explore a kitchen (toy)"}]
    assert json.loads(tasks.schema.metadata[b"pandas"])["index_columns"] == ["__index_level_0__"]


SHAPES_OF_STATISTICS = {"observation.images.oblique": (3, 1, 1), "observation.depth": (1, 1), "action": (10,)}


def test_statistics_have_lerobots_shapes_and_are_those_of_all_frames(exported: Path) -> None:
    told = json.loads((exported / "meta/stats.json").read_text())
    table = pq.read_table(exported / "data/chunk-000/file-000.parquet")
    features = json.loads((exported / "meta/info.json").read_text())["features"]
    assert set(told) == {name for name, feature in features.items() if feature["dtype"] != "string"}
    for name, parts in told.items():
        assert set(parts) == {"min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99"} and parts["count"] == [len(table)]
        assert np.shape(parts["mean"]) == SHAPES_OF_STATISTICS.get(name, (1,))
    action, depth = np.array(table.column("action").to_pylist()), np.array(table.column("observation.depth").to_pylist())
    assert np.allclose(told["action"]["mean"], action.mean(0)) and np.allclose(told["action"]["std"], action.std(0))
    assert told["action"]["min"] == action.min(0).tolist() and told["observation.depth"]["max"] == [[depth.max()]]
    assert np.allclose(told["observation.depth"]["std"], depth.std())


def test_statistics_of_runs_of_several_lengths_are_weighed() -> None:
    values = np.random.default_rng(0).normal(size=(9, 3))
    feature = {"dtype": "float32", "shape": [3]}
    whole, parts = (
        statistics.of_run(values, feature),
        statistics.of_all([statistics.of_run(part, feature) for part in np.split(values, [2])]),
    )
    assert all(np.allclose(whole[name], parts[name]) for name in ("min", "max", "mean", "std", "count"))


def test_what_else_is_known_of_a_walk_lies_beside_it(data: Path, exported: Path) -> None:
    episode = read_episode(data / file_name("toy", 21))
    with np.load(exported / "meta/hiermap/labels" / file_name("toy", 21)) as labels:
        assert set(labels.files) == set(SHAPES) - frames.IN_FRAMES | {"meta"}
        assert all(np.array_equal(labels[name], getattr(episode, name)) for name in labels.files if name != "meta")
        assert json.loads(str(labels["meta"][0]))["calibration_error_px"] == 0.0
    frame = json.loads((exported / "meta/hiermap/calibration.json").read_text())["frame"]
    assert (frame["rows"], frame["columns"], frame["cell_size"]) == (12, 16, 0.008)


def test_the_legend_of_every_walk_counts(tmp_path: Path) -> None:
    name, episode = file_name("toy", 5), toy_episode(5)
    turned = replace(FIRST, bins=FIRST.bins[::-1])
    put(tmp_path / "data", name, encode(name, replace(episode, meta={**episode.meta, "legend": turned.to_dict()})))
    put(tmp_path / "data", file_name("toy", 6), encode(file_name("toy", 6), toy_episode(6)))
    assert main(["data", "export", str(tmp_path / "data"), "format=lerobot", f"out={tmp_path / 'out'}"]) == 0
    assert main(["data", "import", str(tmp_path / "out"), "format=lerobot", f"out={tmp_path / 'back'}"]) == 0
    assert (tmp_path / "back" / name).read_bytes() == (tmp_path / "data" / name).read_bytes()


def refused(capsys: pytest.CaptureFixture, *words: object, code: int = 1) -> str:
    capsys.readouterr()
    assert main([*map(str, words)]) == code
    said = capsys.readouterr().err.rpartition("hiermap: ")[2]
    assert said.count("\n") == 1, said
    return said


def test_a_data_set_without_episodes_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "empty").mkdir()
    command = ["data", "export", tmp_path / "empty", "format=lerobot", f"out={tmp_path / 'out'}"]
    assert "holds no manifest.jsonl; expected what `hiermap collect" in refused(capsys, *command, code=2)
    manifest.append(tmp_path / "empty", {"state": "void", "file": file_name("toy", 20), "seed": 20, "reason": "x"})
    said = refused(capsys, *command)
    assert "lists no episode, so there is nothing to export" in said and not (tmp_path / "out").exists()


def test_a_folder_that_is_no_such_data_set_is_refused(data: Path, exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    said = refused(capsys, "data", "import", data, "format=lerobot", f"out={tmp_path / 'out'}")
    assert "holds no meta/info.json; expected what `hiermap data export" in said
    other = tmp_path / "other"
    (other / "meta").mkdir(parents=True)
    for content, told in (('{"codebase_version": "v2.1"}', "a LeRobotDataset v2.1 without"), ("[]", "None"), ('{"codebase', "damaged")):
        (other / "meta/info.json").write_text(content)
        assert told in refused(capsys, "data", "import", other, "format=lerobot", f"out={tmp_path / 'out'}")
    assert not (tmp_path / "out").exists()


def test_whatever_is_changed_or_missing_is_named(exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    read = [path.relative_to(exported) for path in exported.glob("**/*") if path.is_file() and path.name not in (RECORD, LOCK)]
    read = [path for path in read if path.name not in ("README.md", "stats.json", "tasks.parquet") and "episodes" not in path.parts]
    assert len(read) == 6 + 5
    for number, path in enumerate(read):
        content = (exported / path).read_bytes()
        for changed in (content[:-2], content[: len(content) // 2] + b"\x00" + content[len(content) // 2 + 1 :], None):
            if changed is None:
                (exported / path).unlink()
            else:
                (exported / path).write_bytes(changed)
            if changed != content:
                said = refused(capsys, "data", "import", exported, "format=lerobot", f"out={tmp_path / str(number)}")
                assert path.name in said, said
            (exported / path).write_bytes(content)


def test_views_of_two_sizes_are_no_one_data_set(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    put(tmp_path / "data", file_name("toy", 1), encode(file_name("toy", 1), toy_episode(1)))
    small = toy_episode(2)
    cut = {name: getattr(small, name)[:, :8] for name in ("rgb", "depth_mm", "masks_packed")}
    cut |= {"maps_packed": small.maps_packed[..., :8, :], "cell": small.cell % 8}
    put(tmp_path / "data", file_name("toy", 2), encode(file_name("toy", 2), replace(small, **cut)))
    said = refused(capsys, "data", "export", tmp_path / "data", "format=lerobot", f"out={tmp_path / 'out'}")
    assert "views of (12, 16) and of (8, 16) cells" in said
    assert "holds no meta/info.json" in refused(capsys, "data", "import", tmp_path / "out", "format=lerobot", f"out={tmp_path / 'b'}")


def test_a_damaged_episode_is_not_exported(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    name = file_name("toy", 1)
    put(tmp_path / "data", name, encode(name, toy_episode(1)))
    write_episode(tmp_path / "data", name, toy_episode(1, 5))
    assert "hiermap data verify" in refused(capsys, "data", "export", tmp_path / "data", "format=lerobot", f"out={tmp_path / 'out'}")


@pytest.mark.parametrize(
    "words",
    [
        ["export", "."],
        ["export", ".", "format=lerobot"],
        ["import", ".", "out=x"],
        ["verify", ".", "out=x"],
        ["export", ".", ".", "format=lerobot", "out=x"],
        ["export", ".", "format=rlds", "out=x"],
        ["import", "nowhere", "format=lerobot", "out=x"],
    ],
)
def test_wrong_words_are_usage_errors(words: list[str], capsys: pytest.CaptureFixture) -> None:
    assert "expected" in (said := refused(capsys, "data", *words, code=2)) or "known: lerobot" in said


def test_without_its_packages_the_format_names_the_extra(data: Path, tmp_path: Path) -> None:
    script = "import sys; sys.modules['pyarrow'] = None; from hiermap.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", script, "data", "export", str(data), "format=lerobot", f"out={tmp_path / 'out'}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.endswith("format=lerobot needs the packages pyarrow and pillow; run: pip install 'hiermap[lerobot]'\n")


def test_beginning_anew_leaves_nothing_of_an_export(data: Path, tmp_path: Path) -> None:
    command = ["data", "export", str(data), "format=lerobot", f"out={tmp_path / 'out'}"]
    assert main(command) == main([*command, "overwrite=true"]) == 0
    clear(tmp_path / "out", "data export")
    assert {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()} == {RECORD, LOCK}
