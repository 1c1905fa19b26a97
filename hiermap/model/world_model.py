"""The learned world model: encode a view, predict the latent after an action, decode maps, geometry and predicates."""

import torch
from torch import Tensor, nn

from hiermap.model.config import ModelConfig
from hiermap.model.dynamics import ActionBatch, Dynamics
from hiermap.model.encoder import Encoder
from hiermap.model.map_heads import USED_BINS, full_maps, geometry_head, map_head
from hiermap.model.predicate_head import Answers, PredicateHead, missing_steps
from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS


class HiermapModel(nn.Module):
    """All parts behind the four calls a `hiermap.worlds.imagined.latent.LatentWorld` makes: `encode`, `predict`, `decode`, `answer`.

    `calibration` `[P, 2]` is a slope and a shift of each primitive's logits, fitted on held-out data after training.
    """

    calibration: Tensor

    def __init__(self, config: ModelConfig | None = None) -> None:
        super().__init__()
        self.config = config or ModelConfig()
        self.encoder = Encoder(self.config)
        self.maps = map_head(self.config)
        self.geometry = geometry_head(self.config)
        self.dynamics = Dynamics(self.config)
        self.predicates = PredicateHead(self.config)
        self.register_buffer("calibration", torch.tensor([[1.0, 0.0]]).repeat(len(PRIMITIVES), 1))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def encode(self, view: Tensor, mirrored: Tensor | None = None, memory: Tensor | None = None) -> Tensor:
        """View `[B, channels, H, W]` -> latent `[B, D, h, w]`; `memory` `[B, memory, h, w]` is of an imagined latent, else empty."""
        flag = view.new_zeros(len(view)) if mirrored is None else mirrored
        seen = self.encoder(view, flag)
        if memory is None:
            memory = seen.new_zeros(len(seen), self.config.memory, *seen.shape[2:])
        return torch.cat([seen, memory], dim=1).contiguous(memory_format=torch.channels_last)

    def predict(self, latent: Tensor, actions: ActionBatch) -> Tensor:
        """Latent `[B, D, h, w]` after actions that have their effect."""
        return self.dynamics(latent, actions)

    def decode(self, latent: Tensor) -> Tensor:
        """Success probabilities `[B, P, R, H, W]` of every primitive, orientation and cell, calibrated."""
        slope, shift = self.calibration[[index // ROTATION_BINS for index in USED_BINS]].T
        logits = self.maps(latent) * slope[:, None, None] + shift[:, None, None]
        return full_maps(torch.sigmoid(logits), fill=0.0)

    def answer(self, latent: Tensor, first: Tensor, masks: Tensor) -> Answers:
        """Predicates and steps-to-go of the things whose masks `[B, N, H, W]` in the first view are given."""
        return self.predicates(latent, first, masks)

    def imagine(self, latent: Tensor, primitive: Tensor, rotation: Tensor, cell: Tensor) -> Tensor:
        """`predict` with the action's parts: `[B]` indices of primitive and orientation, `[B, 2]` cells."""
        return self.dynamics(latent, ActionBatch(primitive, rotation, cell))

    def decode_depth(self, latent: Tensor) -> Tensor:
        """The depth channel `[B, H, W]` of the view a latent stands for, scaled as in `SpatialView.channels`."""
        return self.geometry(latent)[:, 0]

    def beliefs(self, latent: Tensor, first: Tensor, masks: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Probabilities `[B, N, 5]` and `[B, N, N, 2]` that predicates hold, and the expected primitives still needed if they do not."""
        answers = self.predicates(latent, first, masks)
        steps = missing_steps(answers.unary_steps), missing_steps(answers.binary_steps)
        return torch.sigmoid(answers.unary), torch.sigmoid(answers.binary), *steps

    def memory_of(self, latent: Tensor) -> Tensor:
        """The memory channels `[B, memory, h, w]` of a latent."""
        return latent[:, self.config.visible :]
