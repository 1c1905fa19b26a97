"""Weights on disk: `model.safetensors`, `config.json` and a model card; read without trust."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from hiermap.model.config import ModelConfig
from hiermap.model.encoder import Encoder
from hiermap.model.locate import CONFIG_FILE, MODEL_FILE, REMEDY, weights_directory
from hiermap.model.world_model import HiermapModel
from hiermap.system.config import read_artefact_config
from hiermap.system.files import write_atomically, write_json
from hiermap.worlds.errors import ConfigError, DataError
from hiermap.worlds.legend import FIRST
from hiermap.worlds.records import check, shown

_log = logging.getLogger(__name__)
FORMAT = "hiermap-weights-1"
CARD_FILE = "README.md"
SHA256 = "model_sha256"
"""Key of `config.json`: what its `model.safetensors` is, so that no flipped bit goes unnoticed."""
DEFAULT = "default"
"""Name of the weights shipped inside the package."""
HEADS = {
    "promise": "searches imagine every candidate, and nothing is remembered that went out of sight",
    "sense": "goals that make no sense of what a thing looks like are not refused",
    "goal": "the steps to a goal are the sum of those to its predicates",
}
"""Heads that older weights lack, and how plans are made without them."""
MAX_BYTES = 1 << 28
"""Larger files (256 MiB) are not ours: the shipped model has 5 MB."""


@dataclass(frozen=True, eq=False)
class LoadedWeights:
    """A model ready for inference and the record it came with.

    Attributes:
        model: in evaluation mode.
        directory: where it was read.
        record: the contents of `config.json` ("format", "model", "metrics", "training").
    """

    model: HiermapModel
    directory: Path
    record: Mapping[str, Any]


class Metrics(TypedDict):
    """What of "metrics" is read again."""

    usual_depth_error_m: NotRequired[Annotated[float, 1e-6, 10]]


class WeightsRecord(TypedDict):
    """What of `config.json` is read again."""

    format: str
    model: dict[str, Any]
    model_sha256: NotRequired[str]
    metrics: NotRequired[Metrics]


def load_weights(
    name_or_path: str | Path = DEFAULT, device: str = "cpu", encoder: Callable[[ModelConfig], nn.Module] = Encoder
) -> LoadedWeights:
    """Read, check and build a model, with the `encoder` that it was trained with.

    Raises:
        DataError: the files are missing, truncated, pickled, foreign or do not fit the configuration beside them.
    """
    directory = weights_directory(name_or_path)
    record = _read_record(directory / CONFIG_FILE)
    try:
        config = ModelConfig.from_dict({"legend": FIRST.to_dict(), **record["model"]})
    except (ConfigError, DataError) as error:
        raise DataError(f"{directory / CONFIG_FILE}: {error}") from error
    tensors = _read_tensors(directory / MODEL_FILE, record.get(SHA256))
    model = HiermapModel(config, encoder)
    tensors.pop("predicates.keys.bias", None)  # of older files: the same at every cell, so without effect
    _fill(model, tensors, directory / MODEL_FILE)
    model.usual_depth_error_m = record.get("metrics", {}).get("usual_depth_error_m")
    if model.usual_depth_error_m is None:
        _log.warning("%s does not say how well depth is usually decoded: plans do not tell an unfamiliar place", directory / CONFIG_FILE)
    return LoadedWeights(model.to(device).eval(), directory, record)


def save_weights(directory: str | Path, model: HiermapModel, record: Mapping[str, Any], card: str) -> Path:
    """Write weights, configuration and card, each in one step; returns the directory."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    content = save(tensors, metadata={"format": FORMAT})
    write_atomically(directory / MODEL_FILE, content)
    write_json(directory / CONFIG_FILE, {"format": FORMAT, SHA256: sha256(content).hexdigest(), "model": model.config.to_dict(), **record})
    write_atomically(directory / CARD_FILE, card)
    return directory


def adopt(model: HiermapModel, state: Mapping[str, Tensor]) -> None:
    """Give a model the parameters of another one, at most as large: it then says what that one says (Net2Net, Chen et al. 2016).

    Its new units keep what they began as, but nothing listens to them yet, and its new blocks add nothing yet.
    """
    model.load_state_dict({name: _around(state.get(name), own) for name, own in model.state_dict().items()})


def _read_record(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise DataError(f"{path} is missing; {REMEDY}")
    try:
        record = read_artefact_config(path)
    except ConfigError as error:
        raise DataError(str(error)) from error
    if record.get("format") != FORMAT:
        raise DataError(f"{path}: format {shown(record.get('format'))}, expected {FORMAT!r}; was it made by a newer version? {REMEDY}")
    check(record, WeightsRecord, str(path))
    return record


def _read_tensors(path: Path, expected_sha256: str | None) -> dict[str, torch.Tensor]:
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise DataError(f"{path} has {size} bytes, at most {MAX_BYTES} are expected; {REMEDY}")
    content = path.read_bytes()
    # Of a safetensors file the first eight bytes are a length, which can look like either, and the ninth opens its header.
    if content[8:9] != b"{" and (content[:2] == b"PK" or content[:1] == b"\x80"):
        raise DataError(f"{path} is a pickled or zipped file, which could run code and is refused; `hiermap train` exports safetensors")
    got = sha256(content).hexdigest()
    if expected_sha256 not in (None, got):  # older weights do not say
        raise DataError(f"{path} has sha256 {got[:12]}..., its config.json says {shown(expected_sha256)}: copy or train both again")
    try:
        return load(content)
    # RuntimeError: of torch, for sizes that no tensor has. What each says of its own format helps nobody.
    except (SafetensorError, ValueError, LookupError, RuntimeError, TypeError) as error:
        raise DataError(f"{path} is truncated or not a safetensors file; copy or train the weights again") from error


def _fill(model: HiermapModel, tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    for head, without in HEADS.items():
        if not any(name.startswith(f"{head}.") for name in tensors):
            setattr(model, head, None)
            _log.warning("%s was trained before there was a head of the name %s: %s", path, head, without)
    expected = model.state_dict()
    missing, foreign = sorted(set(expected) - set(tensors)), sorted(set(tensors) - set(expected))
    if missing or foreign:
        raise DataError(f"{path} does not fit its config.json: missing {missing[:3]}, foreign {foreign[:3]}; {REMEDY}")
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape or tensor.dtype != expected[name].dtype:
            got = f"{list(tensor.shape)} {tensor.dtype}"
            raise DataError(f"{path}: {name} is {got}, expected {list(expected[name].shape)} {expected[name].dtype}; {REMEDY}")
        if not torch.isfinite(tensor).all():
            raise DataError(f"{path}: {name} holds NaN or infinity; train or copy the weights again")
    model.load_state_dict(dict(tensors))


def _around(old: Tensor | None, new: Tensor) -> Tensor:
    """A parameter with the old one in its first corner, where old units do not listen to new ones; as it is where there is no old one."""
    if old is None or old.shape == new.shape:
        return new if old is None else old
    larger = new.clone()
    if old.dim() > 1:
        larger[: old.shape[0], old.shape[1] :] = 0
    larger[tuple(slice(size) for size in old.shape)] = old.to(larger)
    return larger
