"""Several looks at one moment, shifted and mirrored: what only one of them makes out is doubted (test-time augmentation)."""

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.imagined.model import Model
from hiermap.worlds.legend import Legend, places, registered

LOOKS = ((0, False), (2, True))
"""Cells by which a view is shifted down and to the right, two being half a latent cell, and whether it is mirrored; the first are used."""
_NORMAL_Y = 6
"""Channel of `SpatialView.channels`: the normal's y component changes sign in a mirror."""


@lru_cache
def mirrored_bins(legend: Legend) -> np.ndarray:
    """`[K]` int64: the bin that each of the legend's K becomes when left and right are exchanged; one no longer registered stays.

    Raises ConfigError when the legend has no such bin.
    """
    mirrors = {(spec.name, bin_.name): (spec.name, bin_.mirror or bin_.name) for spec in PRIMITIVES.values() for bin_ in spec.bins}
    found = places([mirrors.get(name, name) for name in legend.bins], legend.bins)
    if found.min() < 0:
        raise ConfigError(f"{legend.bins[found.argmin()]} has no mirror image in the model's legend; train with data_options.mirror=false")
    return found


def mirror_views(views: Tensor) -> Tensor:
    """Mirror views `[..., channels, H, W]` left to right."""
    out = views.flip(-1)
    out[..., _NORMAL_Y, :, :] *= -1
    return out


def looked_at(model: Model, view: Tensor) -> Tensor:
    """Latents `[L, D, h, w]`, without memory, of as many `LOOKS` at a view `[1, channels, H, W]` as the model's config asks for."""
    looks = LOOKS[: model.config.looks]
    rows, columns = view.shape[-2:]
    shifted = [F.pad(view, (cells, 0, cells, 0), mode="replicate")[..., :rows, :columns] for cells, _ in looks]
    views = [mirror_views(each) if mirrored else each for each, (_, mirrored) in zip(shifted, looks, strict=True)]
    return model.encode(torch.cat(views), torch.tensor([float(mirrored) for _, mirrored in looks], device=view.device))


def actions_in(looks: int, primitive: Tensor, rotation: Tensor, cell: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Actions `[n]`, `[n]` and `[n, 2]` as each of so many looks at `size` cells sees them, `[n * looks, ...]`, looks of one together."""
    last, flat = torch.tensor(size, device=cell.device) - 1, primitive * ROTATION_BINS + rotation
    rotations, cells = [], []
    for shift, mirrored in LOOKS[:looks]:
        moved = torch.minimum(cell + shift, last)
        rotations.append(_partners(registered()).to(flat.device)[flat] % ROTATION_BINS if mirrored else rotation)
        cells.append(torch.stack([moved[:, 0], last[1] - moved[:, 1]], dim=1) if mirrored else moved)
    return primitive.repeat_interleave(looks), torch.stack(rotations, dim=1).flatten(), torch.stack(cells, dim=1).flatten(0, 1)


def mean_map(maps: Tensor) -> Tensor:
    """The mean `[P, R, H, W]` of what each look at one moment says, `[L, P, R, H, W]`, brought back to where the first has it."""
    back = [maps[0]]
    for each, (cells, mirrored) in zip(maps[1:], LOOKS[1 : len(maps)], strict=True):
        flat = each.flatten(0, 1)
        flat = flat.flip(-1)[_partners(registered()).to(flat.device)] if mirrored else flat
        back.append(F.pad(flat, (0, cells, 0, cells), mode="replicate")[:, cells:, cells:].view_as(each))
    return torch.stack(back).mean(dim=0) if len(back) > 1 else maps[0]


@lru_cache
def _partners(legend: Legend) -> Tensor:
    """`[P * R]` int64: the orientation that each of a legend's becomes in a mirror."""
    flat, partners = np.array(legend.flat), np.arange(len(legend.primitives) * ROTATION_BINS)
    partners[flat] = flat[mirrored_bins(legend)]
    return torch.from_numpy(partners)
