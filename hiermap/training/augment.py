"""Random changes that leave a sample true: mirroring with its meaning, colours, depth noise."""

import numpy as np
import torch
from torch import Tensor

from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS

_NORMAL_Y, _VALID = 6, 8
"""Channels of `SpatialView.channels`: the normal's y component changes sign in a mirror; validity follows the geometry."""


def mirrored_rotation(primitive: str, rotation_index: int) -> int:
    """The orientation bin that a bin becomes when the picture is mirrored left to right; unused bins stay."""
    spec = PRIMITIVES[primitive]
    mirror = spec.bins[rotation_index].mirror if rotation_index < len(spec.bins) else ""
    return spec.index(mirror) if mirror else rotation_index


MIRRORED_ROTATION = np.array([[mirrored_rotation(p, r) for r in range(ROTATION_BINS)] for p in PRIMITIVES])
"""`[P, R]`: the bin each bin becomes."""


def mirror_views(views: np.ndarray) -> np.ndarray:
    """Mirror views `[..., channels, H, W]` left to right."""
    out = np.ascontiguousarray(views[..., ::-1])
    out[..., _NORMAL_Y, :, :] *= -1
    return out


def mirror_maps(maps: np.ndarray) -> np.ndarray:
    """Mirror maps `[..., P, R, H, W]`: columns reversed, bins exchanged."""
    out = np.empty_like(maps)
    for p in range(len(PRIMITIVES)):
        for r in range(ROTATION_BINS):
            out[..., p, MIRRORED_ROTATION[p, r], :, :] = maps[..., p, r, :, ::-1]
    return out


def jitter_(views: Tensor, strength: float, generator: torch.Generator) -> None:
    """Change colours (gain, shift, gamma, order of channels) and add depth noise in place, alike for all views of a sequence.

    Args:
        views: `[B, T, channels, H, W]`, as `SpatialView.channels` gives them.
        strength: 0 none, 1 full.
    """
    size = len(views)

    def draw(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    order = torch.stack([torch.randperm(3, generator=generator) for _ in range(size)])
    keep = draw(size) > 0.5 * strength
    order[keep] = torch.arange(3)
    rgb = views[:, :, :3].gather(2, order[:, None, :, None, None].expand_as(views[:, :, :3]))
    gamma = torch.exp(strength * 0.7 * (draw(size, 1, 1, 1, 1) - 0.5))
    gain = 1 + strength * 0.6 * (draw(size, 1, 3, 1, 1) - 0.5)
    shift = strength * 0.3 * (draw(size, 1, 3, 1, 1) - 0.5)
    valid = views[:, :, _VALID : _VALID + 1]
    views[:, :, :3] = (rgb.clamp(0, 1) ** gamma * gain + shift) * valid
    noise = 0.02 * strength * draw(size, 1, 1, 1, 1)
    views[:, :, 3:8] += noise * valid * torch.randn(views[:, :, 3:8].shape, generator=generator)
