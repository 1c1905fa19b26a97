"""From the fused view to the spatial latent."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hiermap.model.blocks import Pointwise, ResidualBlock, WideBlock, unit_rms
from hiermap.model.config import ModelConfig


class Encoder(nn.Module):
    """View `[B, channels, H, W]` and mirror flag `[B]` -> visible latent `[B, visible, H/4, W/4]`.

    A stage at stride 8 sees far (what stands in a door's sweep); nothing knows absolute columns, so a shifted kitchen gives a shifted
    latent. The mirror flag is 1 where training flipped left and right, so that what only a real kitchen shows can be told apart.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.visible
        self.stem = nn.Conv2d(4 * (config.channels + 1), config.stem, 3, padding=1)
        self.fine = nn.Conv2d(config.stem, config.stem, 3, padding=1)
        self.down = nn.Conv2d(config.stem, width, 3, stride=2, padding=1)
        self.near = nn.Sequential(ResidualBlock(width), *(WideBlock(width) for _ in range(config.encoder_blocks - 1)))
        self.far_down = nn.Conv2d(width, config.context, 3, stride=2, padding=1)
        self.far = nn.Sequential(*(WideBlock(config.context) for _ in range(3)))
        self.far_up = Pointwise(config.context, width)
        self.join = nn.Sequential(WideBlock(width), WideBlock(width))

    def forward(self, view: Tensor, mirrored: Tensor) -> Tensor:
        flag = mirrored.to(view.dtype)[:, None, None, None].expand(-1, 1, *view.shape[-2:])
        x = F.pixel_unshuffle(torch.cat([view, flag], dim=1), 2).contiguous(memory_format=torch.channels_last)
        x = torch.relu(self.stem(x))
        x = torch.relu(x + self.fine(x))
        x = self.near(self.down(x))
        far = self.far_up(self.far(torch.relu(self.far_down(torch.relu(x)))))
        x = x + F.interpolate(far, scale_factor=2, mode="bilinear", align_corners=False)
        return unit_rms(self.join(x))
