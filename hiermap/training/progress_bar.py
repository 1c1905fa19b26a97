"""Lightning's progress bar on standard error, so that standard output holds only the table."""

import sys

from lightning.pytorch.callbacks import TQDMProgressBar
from lightning.pytorch.callbacks.progress.tqdm_progress import Tqdm


class StderrProgress(TQDMProgressBar):
    """One bar over the batches of an epoch with the loss and the held-out score; none for the short validation."""

    def init_train_tqdm(self) -> Tqdm:
        return _redirected(super().init_train_tqdm())

    def init_validation_tqdm(self) -> Tqdm:
        bar = super().init_validation_tqdm()
        bar.disable = True
        return bar


def _redirected(bar: Tqdm) -> Tqdm:
    bar.fp = sys.stderr
    bar.sp = bar.status_printer(sys.stderr)
    return bar
