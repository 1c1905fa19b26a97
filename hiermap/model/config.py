"""The shape of the network: everything needed to rebuild it before its weights are read."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Any

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.legend import Legend, registered
from hiermap.worlds.records import check_fields, one_of, shown

STRIDE = 4
"""Cells per latent cell, along rows and along columns."""
STEPS_CAP = 6
"""Steps-to-go are told apart up to one less than this; the last class means this many or more."""
GOAL_STEPS_CAP = 13
"""The same of whole goals."""
MAP_HEADS = ("factored", "single")
"""One map per orientation bin; or, as an ablation, one map of where to act and a classifier of what to do there."""
Width = Annotated[int, 1, 384]
Blocks = Annotated[int, 1, 12]
"""Four to six times what the shipped weights have, and together still below 1 GiB."""


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of `hiermap.model.world_model.HiermapModel`.

    Attributes:
        channels: input channels, as `hiermap.worlds.perception.fusion.SpatialView.channels` gives them.
        rows, columns: cells of the spatial frame; multiples of 8.
        visible: latent channels the encoder fills.
        memory: latent channels only the dynamics fill: what an action hid from view (the thing in the hand or in a shut drawer).
        stem: channels at stride 2.
        context: channels at stride 8.
        encoder_blocks, dynamics_blocks: residual blocks at stride 4.
        token: width of the predicate head.
        readout: width of the maps' head.
        heads: factored (one map per orientation bin) or single (one map of where to act, and a classifier of what to do there).
        looks: 1, or 2 to plan with the mean of the maps of the view and of its shifted mirror image: better in places unlike those that
            it was trained in, no better in those like them; needs `data_options.mirror`.
        policy: whether there is a head that regresses an action without any map, for planner=vector.
        legend: what its maps and predicates mean, in its own order.
    """

    channels: Annotated[int, 1, 64] = 10
    rows: Annotated[int, 8, 1024] = 96
    columns: Annotated[int, 8, 1024] = 128
    visible: Width = 64
    memory: Width = 16
    stem: Width = 32
    context: Width = 96
    encoder_blocks: Blocks = 2
    dynamics_blocks: Blocks = 3
    token: Width = 96
    readout: Width = 128
    heads: str = "factored"
    looks: Annotated[int, 1, 2] = 1
    policy: bool = False
    legend: Legend = field(default_factory=registered, metadata={"omegaconf_ignore": True})

    def __post_init__(self) -> None:
        check_fields(self, "model")
        one_of("model.heads", self.heads, MAP_HEADS)
        if not self.legend.bins:
            raise ConfigError("model.legend names no primitive; expected at least one")
        if self.rows % 8 or self.columns % 8:
            raise ConfigError(f"model rows and columns must be multiples of 8, got {self.rows} x {self.columns}")
        if any(width % 8 for width in (self.visible, self.memory, self.context, self.stem)):
            raise ConfigError("model.visible, memory, context and stem must be multiples of 8 (normalisation groups)")

    @property
    def latent(self) -> int:
        """D: all latent channels."""
        return self.visible + self.memory

    @property
    def latent_shape(self) -> tuple[int, int]:
        """Rows and columns of the latent."""
        return self.rows // STRIDE, self.columns // STRIDE

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**vars(self), "legend": self.legend.to_dict()}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "ModelConfig":
        """Inverse of `to_dict`, the registries' legend where none is given; raises ConfigError for unknown keys or unusable values."""
        known = [entry.name for entry in fields(cls)]
        if unknown := sorted(set(record) - set(known)):
            raise ConfigError(f"model has an unknown {shown(unknown[0])}, expected {', '.join(known)}; was it made by a newer version?")
        legend = Legend.from_dict(record["legend"]) if "legend" in record else registered()
        return cls(**{**record, "legend": legend})


@dataclass(frozen=True)
class GrowthOptions:
    """Sizes of `ModelConfig` that no normalisation spans: growing them changes nothing that a network says. Null leaves one as it is."""

    stem: Width | None = None
    readout: Width | None = None
    encoder_blocks: Blocks | None = None
    dynamics_blocks: Blocks | None = None

    def __post_init__(self) -> None:
        check_fields(self, "grow")

    def of(self, config: ModelConfig) -> ModelConfig:
        """The grown shape; ConfigError where that would be smaller."""
        sizes = {name: size for name, size in vars(self).items() if size is not None}
        for name, size in sizes.items():
            if size < (now := getattr(config, name)):
                raise ConfigError(f"grow.{name} is {size}, expected at least {now}, which the weights that training begins from have")
        return replace(config, **sizes)
