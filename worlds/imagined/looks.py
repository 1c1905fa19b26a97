"""Several looks at one real view, shifted and mirrored: what only one of them makes out is doubted (test-time augmentation)."""

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.imagined.model import Model
from hiermap.worlds.legend import Legend, places, registered

LOOKS = ((0, False), (0, True), (2, False), (2, True))
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


def maps_seen(model: Model, view: Tensor, latent: Tensor) -> Tensor:
    """Success probabilities `[P, R, H, W]` of what is really seen, the mean over as many `LOOKS` as the model's config asks for.

    Args:
        view: `[1, channels, H, W]`, as `SpatialView.channels` gives it.
        latent: `[1, D, h, w]` of that view with its memory, which the first look uses; the others see without any.
    """
    own = model.decode(latent)
    others = LOOKS[1 : model.config.looks]
    if not others:
        return own[0]
    flags = torch.tensor([float(mirrored) for _, mirrored in others], device=view.device)
    views = torch.cat([_turned(_shifted(view, cells), mirrored) for cells, mirrored in others])
    maps = model.decode(model.encode(views, flags))
    back = [_back(each[None], cells, mirrored) for each, (cells, mirrored) in zip(maps, others, strict=True)]
    return torch.stack([own, *back]).mean(dim=0)[0]


def _turned(view: Tensor, mirrored: bool) -> Tensor:
    return mirror_views(view) if mirrored else view


def _shifted(view: Tensor, cells: int) -> Tensor:
    """A view whose first rows and columns are repeated, and whose last are lost."""
    rows, columns = view.shape[-2:]
    return F.pad(view, (cells, 0, cells, 0), mode="replicate")[..., :rows, :columns]


def _back(maps: Tensor, cells: int, mirrored: bool) -> Tensor:
    """Maps `[1, P, R, H, W]` of a shifted and mirrored view, where the view itself has them."""
    flat = maps.flatten(1, 2)
    if mirrored:
        flat = flat.flip(-1)[:, _partners()]
    return F.pad(flat, (0, cells, 0, cells), mode="replicate")[..., cells:, cells:].view_as(maps)


@lru_cache
def _partners() -> Tensor:
    """`[P * R]` int64: the orientation that each of the registries' becomes in a mirror."""
    legend = registered()
    flat, partners = np.array(legend.flat), np.arange(len(legend.primitives) * ROTATION_BINS)
    partners[flat] = flat[mirrored_bins(legend)]
    return torch.from_numpy(partners)
