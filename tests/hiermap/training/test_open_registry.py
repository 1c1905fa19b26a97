"""A sixth primitive and an eighth predicate, put first in their registries: what was shipped and stored before stays as good as it was."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from hiermap.model.config import STEPS_CAP
from hiermap.model.weights import load_weights
from hiermap.training.sampling.shards import UNKNOWN

ROWS, COLUMNS = 48, 64
GROWN = """
import sys
from pathlib import Path
from types import MappingProxyType
from hiermap.primitives import specs
from hiermap.worlds import goals
press = specs.PrimitiveSpec("press", (specs.Bin("press"),), 10.0, 3.0, from_above=True)
specs.PRIMITIVES = MappingProxyType({"press": press, **specs.PRIMITIVES})
goals.PREDICATES = MappingProxyType({"pressed": goals.PredicateSpec("pressed", 1, "the {} is pressed"), **goals.PREDICATES})
goals.UNARY = ("pressed", *goals.UNARY)

import numpy as np
import torch
from hiermap.agent.planner import Planner
from hiermap.model.config import ModelConfig
from hiermap.model.weights import load_weights
from hiermap.model.world_model import HiermapModel
from hiermap.training.sampling.batches import PathSampler
from hiermap.training.module import losses
from hiermap.training.options import LossWeights
from hiermap.training.sampling.shards import load_shard
from hiermap.worlds.imagined.toy import TOY_INSTANCES, ToyWorld
from hiermap.worlds.legend import registered
from tests.hiermap.training.test_open_registry import read_out

folder, found = Path(sys.argv[1]), read_out(load_weights().model, first=1)
legend = registered()
shard = load_shard(folder / "toy-000000001.npz", legend)
small = ModelConfig(rows=48, columns=64, visible=16, memory=8, stem=16, context=16, dynamics_blocks=1, token=16)
model = HiermapModel(small)
batch = PathSampler([shard], 1, mirror=True).batch(2, 1, np.random.default_rng(0))
losses(model, batch, LossWeights(), torch.ones(len(legend.bins)), 0.0)["loss"].backward()
instance = TOY_INSTANCES["put_in_and_shut"]
plan = Planner(ToyWorld(instance.kitchen)).plan(instance.view, instance.goal)
np.savez(
    folder / "found.npz", **found, names=np.array(["/".join(name) for name in legend.bins]), known=shard.known,
    episode_maps=shard.maps([0])[0], bin_index=shard.bin_index, unary=shard.unary, steps_unary=shard.steps_unary,
    gradient=model.maps.out.weight.grad.view(len(legend.bins), -1).abs().sum(dim=1),
    planned=len(plan.plan.actions) if plan else -1, shortest=instance.shortest,
)
"""


def read_out(model, first: int) -> dict[str, np.ndarray]:
    """What a model says of a made-up view; `first` is where the old primitives begin in the registry."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    view, masks = torch.rand(1, 10, 96, 128, generator=generator), torch.rand(1, 3, 96, 128, generator=generator) < 0.01
    with torch.inference_mode():
        latent = model.encode(view)
        primitive, cell = torch.tensor([0, first + 2]), torch.tensor([[40, 60], [50, 20]])
        after = model.imagine(latent.expand(2, -1, -1, -1), primitive, torch.tensor([0, 1]), cell)
        names = ("truth", "truth_binary", "steps", "steps_binary")
        beliefs = dict(zip(names, model.told(model.answers(model.read(latent, model.things(latent, masks)))), strict=True))
        read = {"maps": model.decode(latent), "latent": latent, "after": after, **beliefs}
    return {name: tensor.numpy() for name, tensor in read.items()}


def write_old_episode(path: Path) -> None:
    """One transition, a drawer pulled open, as the first format wrote it: bare positions, no legend."""
    maps = np.zeros((2, 5, 4, ROWS, COLUMNS), bool)
    maps[0, 3, 1, 20:24, 30:34] = True
    maps[0, 2, 3, 5, 5] = True
    masks = np.zeros((2, ROWS, COLUMNS), bool)
    masks[0, 20:24, 30:34] = masks[1, 40:44, 10:14] = True
    unary = np.full((2, 2, 5), 255, np.uint8)
    unary[:, 0, :2] = [[0, 1], [1, 0]]
    binary = np.full((2, 2, 2, 2), 255, np.uint8)
    one = np.ones(1, np.float32)
    meta = {"seed": 1, "source": "toy", "family": "toy", "versions": {}, "calibration_error_px": 0.0, "joints": ["drawer"], "flags": []}
    np.savez_compressed(
        path,
        rgb=np.full((2, ROWS, COLUMNS, 3), 90, np.uint8),
        depth_mm=np.full((2, ROWS, COLUMNS), 9300, np.uint16),
        holding=np.zeros(2, np.uint8),
        maps_packed=np.packbits(maps, axis=-1),
        fractions=np.float32([[0], [1]]),
        before=np.int16([0]),
        after=np.int16([1]),
        primitive=np.int8([3]),
        cell=np.int16([[21, 31]]),
        rotation=np.int8([1]),
        point_world=np.zeros((1, 3), np.float32),
        normal_world=np.float32([[-1, 0, 0]]),
        effect=np.array([True]),
        succeeded=np.array([True]),
        reason=np.array(["done"], "U16"),
        duration=one,
        displacement=one,
        names=np.array(["drawer", "mug"], "U24"),
        kinds=np.array(["drawer", "mug"], "U16"),
        masks_packed=np.packbits(masks, axis=-1),
        unary=unary,
        binary=binary,
        steps_unary=np.where(unary == 255, 255, 1 - np.minimum(unary, 1)).astype(np.uint8),
        steps_binary=binary,
        meta=np.array([json.dumps(meta)]),
    )


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    folder = tmp_path_factory.mktemp("grown")
    write_old_episode(folder / "toy-000000001.npz")
    done = subprocess.run(
        [sys.executable, "-c", GROWN, str(folder)], capture_output=True, text=True, timeout=300, cwd=Path(__file__).parents[3]
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(np.load(folder / "found.npz"))


def test_shipped_weights_say_the_same_of_all_they_know(grown: dict[str, np.ndarray]) -> None:
    before = read_out(load_weights().model, first=0)
    assert grown["maps"].shape == (1, 6, 4, 96, 128)
    np.testing.assert_array_equal(grown["maps"][:, 1:], before["maps"])
    np.testing.assert_array_equal(grown["after"][1], before["after"][1])
    for name in ("truth", "steps"):
        np.testing.assert_array_equal(grown[name][..., 1:], before[name])
        np.testing.assert_array_equal(grown[f"{name}_binary"], before[f"{name}_binary"])


def test_what_shipped_weights_do_not_know_works_nowhere_changes_nothing_and_is_far_away(grown: dict[str, np.ndarray]) -> None:
    assert not grown["maps"][:, 0].any() and not grown["truth"][..., 0].any()
    np.testing.assert_array_equal(grown["after"][0], grown["latent"][0])
    assert (grown["steps"][..., 0] == STEPS_CAP).all()


def test_an_old_episode_is_read_by_name_and_does_not_pretend_to_know_more(grown: dict[str, np.ndarray]) -> None:
    names = grown["names"].tolist()
    assert [name for name, known in zip(names, grown["known"], strict=True) if not known] == ["press/press"]
    pull = names.index("pull/roll_90")
    assert grown["bin_index"].tolist() == [pull]
    told = grown["episode_maps"].sum(axis=(1, 2))
    assert {names[k]: int(count) for k, count in enumerate(told) if count} == {"pull/roll_90": 16, "push/down": 1}
    assert (grown["unary"][..., 0] == UNKNOWN).all() and (grown["steps_unary"][..., 0] == UNKNOWN).all()
    assert grown["unary"][:, 0, 1:3].tolist() == [[0, 1], [1, 0]]


def test_training_learns_nothing_about_what_an_episode_does_not_tell(grown: dict[str, np.ndarray]) -> None:
    assert ((grown["gradient"] > 0) == grown["known"]).all()


def test_the_toy_kitchen_is_still_solved_in_as_few_steps(grown: dict[str, np.ndarray]) -> None:
    assert grown["planned"] == grown["shortest"] > 0
