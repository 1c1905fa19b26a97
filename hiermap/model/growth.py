"""A larger network that begins where a smaller one ended: it says the same until it learns more (Net2Net, Chen et al. 2016)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from hiermap.model.config import Blocks, ModelConfig, Width
from hiermap.model.world_model import HiermapModel
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.records import check_fields


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


def fill(model: HiermapModel, state: Mapping[str, Tensor]) -> None:
    """Give a model of at least their sizes the parameters of another: it then says what that one says.

    Its new units keep what they began as, but nothing listens to them yet, and its new blocks add nothing yet.
    """
    model.load_state_dict({name: _around(state.get(name), own) for name, own in model.state_dict().items()})


def _around(old: Tensor | None, new: Tensor) -> Tensor:
    """A parameter with the old one in its first corner, where old units do not listen to new ones; as it is where there is no old one."""
    if old is None or old.shape == new.shape:
        return new if old is None else old
    larger = new.clone()
    if old.dim() > 1:
        larger[: old.shape[0], old.shape[1] :] = 0
    larger[tuple(slice(size) for size in old.shape)] = old.to(larger)
    return larger
