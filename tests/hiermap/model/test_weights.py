import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from hiermap.model.locate import MODEL_FILE, shipped_names, weights_directory
from hiermap.model.weights import CONFIG_FILE, load_weights, save_weights
from hiermap.model.world_model import HiermapModel
from hiermap.worlds.errors import DataError
from tests.hiermap.model.test_world_model import SMALL


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(3)
    return save_weights(tmp_path / "weights", HiermapModel(SMALL), {"metrics": {"ap": 0.5}}, "# card\n")


@pytest.fixture
def unsigned(saved: Path) -> Path:
    """As older weights are: nothing says which tensors belong to the configuration."""
    record = json.loads((saved / CONFIG_FILE).read_text())
    del record["model_sha256"]
    (saved / CONFIG_FILE).write_text(json.dumps(record))
    return saved


def test_a_flipped_bit_is_refused(saved: Path) -> None:
    content = bytearray((saved / MODEL_FILE).read_bytes())
    content[len(content) // 2] ^= 1
    (saved / MODEL_FILE).write_bytes(content)
    with pytest.raises(DataError, match=r"its config\.json says"):
        load_weights(saved)


def test_weights_come_back_as_they_were(saved: Path) -> None:
    torch.manual_seed(3)
    expected = HiermapModel(SMALL).state_dict()
    loaded = load_weights(saved)
    assert loaded.record["metrics"] == {"ap": 0.5} and not loaded.model.training
    assert all(torch.equal(tensor, expected[name]) for name, tensor in loaded.model.state_dict().items())
    assert load_weights(saved / MODEL_FILE).directory == saved and (saved / "README.md").read_text() == "# card\n"


def test_a_missing_directory_is_named_with_what_exists(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no weights at"):
        load_weights(tmp_path / "nothing")


def test_a_truncated_file_is_refused(saved: Path) -> None:
    content = (saved / MODEL_FILE).read_bytes()
    (saved / MODEL_FILE).write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="truncated"):
        load_weights(saved)


def test_what_a_library_says_of_a_damaged_file_is_not_passed_on(unsigned: Path) -> None:
    header = b'{"x": ' + b"9" * 5000 + b"}"
    (unsigned / MODEL_FILE).write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(DataError, match=r"model.safetensors is truncated or not a safetensors file; copy or train the weights again$"):
        load_weights(unsigned)


def test_a_pickled_file_is_refused_unopened(saved: Path) -> None:
    torch.save({"weight": torch.zeros(1)}, saved / MODEL_FILE)
    with pytest.raises(DataError, match="pickled"):
        load_weights(saved)


@pytest.mark.parametrize(
    ("tensors", "words"),
    [({"foreign": torch.zeros(2)}, "does not fit"), ({}, "missing")],
)
def test_foreign_tensors_are_refused(unsigned: Path, tensors: dict, words: str) -> None:
    save_file(tensors, unsigned / MODEL_FILE)
    with pytest.raises(DataError, match=words):
        load_weights(unsigned)


def test_weights_that_are_not_numbers_are_refused(unsigned: Path) -> None:
    tensors = HiermapModel(SMALL).state_dict()
    tensors["calibration"][0] = float("nan")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, unsigned / MODEL_FILE)
    with pytest.raises(DataError, match="NaN"):
        load_weights(unsigned)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "other", "model": {}}', '{"format": "hiermap-weights-1", "model": {"rows": 7}}'])
def test_a_foreign_configuration_is_refused(saved: Path, text: str) -> None:
    (saved / CONFIG_FILE).write_text(text)
    with pytest.raises(DataError):
        load_weights(saved)


def test_an_interpolation_in_a_configuration_is_refused(saved: Path) -> None:
    (saved / CONFIG_FILE).write_text('{"format": "${oc.env:HOME}"}')
    with pytest.raises(DataError, match="interpolation"):
        load_weights(saved)


@pytest.mark.parametrize("name", shipped_names())
def test_shipped_weights_load_and_are_small(name: str) -> None:
    assert (weights_directory(name) / MODEL_FILE).stat().st_size < 15 << 20
    assert load_weights(name).model.config.rows == 96


@pytest.mark.parametrize("head", ["promise", "goal", "sense"])
def test_weights_from_before_a_head_load_and_say_what_is_missing(unsigned: Path, caplog: pytest.LogCaptureFixture, head: str) -> None:
    tensors = {name: tensor for name, tensor in load_file(unsigned / MODEL_FILE).items() if not name.startswith(f"{head}.")}
    save_file(tensors, unsigned / MODEL_FILE)
    assert getattr(load_weights(unsigned).model, head) is None and f"head of the name {head}" in caplog.text


def test_weights_say_how_badly_depth_is_usually_decoded_or_are_warned_of(saved: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert load_weights(saved).model.usual_depth_error_m is None and "do not tell an unfamiliar place" in caplog.text
    _put(saved, {"usual_depth_error_m": 0.0093})
    caplog.clear()
    assert load_weights(saved).model.usual_depth_error_m == 0.0093 and not caplog.text
    assert load_weights("default").model.usual_depth_error_m < 0.02


@pytest.mark.parametrize("metrics", [{"usual_depth_error_m": 0}, {"usual_depth_error_m": -1.0}, {"usual_depth_error_m": "9 mm"}, [], None])
def test_a_usual_error_that_cannot_be_is_refused(saved: Path, metrics: object) -> None:
    _put(saved, metrics)
    with pytest.raises(DataError, match="metrics"):
        load_weights(saved)


def _put(weights: Path, metrics: object) -> None:
    record = json.loads((weights / CONFIG_FILE).read_text())
    (weights / CONFIG_FILE).write_text(json.dumps({**record, "metrics": metrics}))
