"""Random changes that leave a sample true: colours, depth noise."""

import torch
from torch import Tensor

from hiermap.data.episodes import NOT_APPLICABLE as UNKNOWN

SHORT = 3
"""Primitives to a whole goal that a model taught on short pairs only is told of."""
_VALID = 8
"""Channel of `SpatialView.channels` that tells seen cells."""


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
