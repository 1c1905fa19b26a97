"""Random changes that leave a sample true: mirroring with its meaning, colours, depth noise."""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from hiermap.data.episodes import NOT_APPLICABLE as UNKNOWN
from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.legend import Legend, places

SHORT = 3
"""Primitives to a whole goal that a model taught on short pairs only is told of."""
_NORMAL_Y, _VALID = 6, 8
"""Channels of `SpatialView.channels`: the normal's y component changes sign in a mirror; validity follows the geometry."""


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


def jitter_(views: Tensor, strength: float, generator: torch.Generator) -> None:
    """Change colours (gain, shift, gamma, order of channels) and add depth noise in place, alike for all views of a sequence.

    Args:
        views: `[B, T, channels, H, W]`, as `SpatialView.channels` gives them.
        strength: 0 none, 1 full.
        generator: on the views' device.
    """
    size, device = len(views), views.device

    def draw(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, device=device)

    keep = draw(size, 1) > 0.5 * strength
    order = torch.where(keep, torch.arange(3, device=device), draw(size, 3).argsort(dim=1))
    rgb = views[:, :, :3].gather(2, order[:, None, :, None, None].expand_as(views[:, :, :3]))
    gamma = torch.exp(strength * 0.7 * (draw(size, 1, 1, 1, 1) - 0.5))
    gain = 1 + strength * 0.6 * (draw(size, 1, 3, 1, 1) - 0.5)
    shift = strength * 0.3 * (draw(size, 1, 3, 1, 1) - 0.5)
    valid = views[:, :, _VALID : _VALID + 1]
    views[:, :, :3] = (rgb.clamp(0, 1) ** gamma * gain + shift) * valid
    noise = 0.02 * strength * draw(size, 1, 1, 1, 1)
    views[:, :, 3:8] += noise * valid * torch.randn(views[:, :, 3:8].shape, generator=generator, device=device)


def relabel_(goal_steps: Tensor, how: str, generator: torch.Generator) -> None:
    """Spoil the steps to whole goals (255 where there are none) in place: forget those above `SHORT` ("short"), or deal them out anew
    ("shuffled"); "all" leaves them.
    """
    if how == "short":
        goal_steps[goal_steps > SHORT] = UNKNOWN
    elif how == "shuffled":
        known = goal_steps[goal_steps != UNKNOWN]
        goal_steps[goal_steps != UNKNOWN] = known[torch.randperm(len(known), generator=generator, device=known.device)]
