"""What `hiermap train` can be told; loads no torch, so that `--help` is quick."""

from dataclasses import dataclass, field
from math import inf
from typing import Annotated, Any

from hiermap.model.config import GrowthOptions, ModelConfig
from hiermap.system.run_folder import OutOptions
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.records import Amount, Count, Positive, Share, check_fields, one_of, shown

GOAL_LABELS = ("all", "short", "shuffled")


@dataclass(frozen=True)
class LossWeights:
    """Weight of each part of the training loss.

    Attributes:
        maps, imagined_maps: of the maps of real and of imagined views.
        executed: of the success at the cells that were acted on.
        consistency: of imagined latents against the encoding of the real next view.
        predicates, steps: of the goal predicates, and of the primitives still needed for them.
        geometry: of the depth of the next view.
        goals: of the primitives still needed for whole goals.
        promises: of what an action is guessed to lead to, against what is true after it, or, for actions not taken, what is imagined.
        sense: of which predicates make sense of which things.
        policy: of the actions that a policy regresses, with model.policy=true.
        positive: of a positive cell in the maps.
    """

    maps: Amount = 1.0
    imagined_maps: Amount = 1.0
    executed: Amount = 0.3
    consistency: Amount = 0.5
    predicates: Amount = 1.0
    steps: Amount = 0.3
    geometry: Amount = 0.3
    goals: Amount = 0.2
    promises: Amount = 0.1
    sense: Amount = 0.1
    policy: Amount = 0.0
    positive: Amount = 5.0

    def __post_init__(self) -> None:
        check_fields(self, "losses")


@dataclass(frozen=True)
class OptimiserOptions:
    """AdamW under a warm-up and a cosine to zero over the whole training, be it counted in epochs, steps or minutes.

    Attributes:
        lr: highest learning rate.
        weight_decay: of matrices and kernels.
        look_again: chance that a step of an unrolled path starts from the real view instead of the imagined one.
        rare_bins: exponent with which rarer orientation bins weigh more, 0 none.
        frozen: parts of the model that do not learn, for example [encoder, dynamics, maps, geometry]; a step is then twice as fast.
    """

    lr: Amount = 4e-3
    weight_decay: Amount = 0.02
    look_again: Share = 0.3
    rare_bins: Amount = 0.5
    frozen: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_fields(self, "optimiser")


@dataclass(frozen=True)
class DataOptions:
    """How batches are made.

    Attributes:
        views_per_batch: real views in a batch; longer paths make fewer sequences.
        unroll: chance of a path of 1, 2, ... actions (at most 10).
        single: share of the batches that hold single views without actions, those of `collect source=fixtures` among them.
        close_ups: share of the batches that hold small parts of single views around what is switched, many more a batch.
        batches_per_epoch: optimiser steps between two looks at the held-out data.
        validation_share: share of the kitchens held out, chosen by their name, so that it never depends on what else is there.
        validation_sequences: paths looked at per validation.
        hiding: share of the paths, at most, that shut a drawer on something, 0 for as many as there happen to be.
        mirror: also learn from mirrored kitchens.
        jitter: strength of colour and depth noise, 0 to 1.
        goal_labels: steps to whole goals: all, short (only up to 3 primitives) or shuffled, as controls of what is learned from them.
        limit: use only so many episodes, 0 for all.
        workers: processes that draw batches beside the training, which a GPU would wait for; what they draw does not depend on it.
        seed: of the order of batches; the command's own.
    """

    views_per_batch: Annotated[int, 2, 100_000] = 24
    unroll: tuple[Amount, ...] = (0.3, 0.2, 0.25, 0.1, 0.15)
    single: Share = 0.0
    close_ups: Share = 0.0
    batches_per_epoch: Annotated[int, 1, 10**6] = 200
    validation_share: Annotated[float, 1e-6, 0.999999] = 0.1
    validation_sequences: Positive = 100
    hiding: Share = 0.15
    mirror: bool = True
    jitter: Share = 1.0
    goal_labels: str = "all"
    limit: Count = 0
    workers: Annotated[int, 0, 1024] = 0
    seed: int = field(default=0, metadata={"omegaconf_ignore": True})

    def __post_init__(self) -> None:
        check_fields(self, "data_options")
        one_of("data_options.goal_labels", self.goal_labels, GOAL_LABELS)
        if not 1 <= len(self.unroll) <= 10 or not 0 < sum(self.unroll) < inf:
            raise ConfigError(f"data_options.unroll is {shown(self.unroll)}, expected 1 to 10 chances, for example [0.5, 0.3, 0.2]")


@dataclass(frozen=True, kw_only=True)
class TrainOptions(OutOptions):
    """The keys of `hiermap train`.

    Attributes:
        data: directory that `hiermap collect` filled.
        out: weights, card, metrics, log and checkpoints go here; the same command again resumes.
        weights: a name or directory to start from; null starts afresh.
        grow: sizes that weights started from are enlarged to first.
        seed: of initial weights and of the order of batches.
        resume: continue from the last checkpoint in out, if there is one.
        save_seconds: between checkpoints within an epoch.
        threads: of torch; 0 uses every core.
        tensorboard: also log for TensorBoard (extra tensorboard).
        wandb: also log to Weights & Biases, as the environment variables WANDB_MODE, WANDB_PROJECT and so on say (extra wandb).
        trainer: passed on to lightning.Trainer, any of its options.
    """

    data: str
    weights: str | None = None
    seed: Annotated[int, 0, 2**32 - 1] = 0
    resume: bool = True
    save_seconds: Annotated[float, 0, 1e6] = 120.0
    threads: Annotated[int, 0, 1024] = 0
    tensorboard: bool = False
    wandb: bool = False
    model: ModelConfig = field(default_factory=ModelConfig)
    grow: GrowthOptions = field(default_factory=GrowthOptions)
    losses: LossWeights = field(default_factory=LossWeights)
    optimiser: OptimiserOptions = field(default_factory=OptimiserOptions)
    data_options: DataOptions = field(default_factory=DataOptions)
    trainer: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_fields(self)
        if self.weights is None and self.grow != GrowthOptions():
            raise ConfigError("grow.* enlarges weights that a training starts from, and weights is null; set model.* for a fresh network")
