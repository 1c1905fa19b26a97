"""For a Lightning Trainer of one's own: `HiermapModule` and `KitchenDataModule`, loaded when first asked for, and torch with them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hiermap.training.datamodule import KitchenDataModule
    from hiermap.training.module import HiermapModule
    from hiermap.training.options import DataOptions

_MODULE_OF = {"DataOptions": "options", "HiermapModule": "module", "KitchenDataModule": "datamodule"}
__all__ = ["DataOptions", "HiermapModule", "KitchenDataModule"]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'hiermap.training' has no attribute {name!r}; public names: {', '.join(__all__)}")
    return getattr(import_module(f"hiermap.training.{_MODULE_OF[name]}"), name)
