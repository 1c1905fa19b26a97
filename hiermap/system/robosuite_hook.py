"""robosuite knows an environment once its class is defined and looks for no plugins: so ours is defined when robosuite is imported."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

ENVIRONMENT = "hiermap.worlds.simulator.robosuite_env"


class _WhenRobosuiteIsImported(MetaPathFinder):
    """Finds robosuite where it is, and imports our environment right after it."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path) if fullname == "robosuite" else None
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_register(module: ModuleType) -> None:
                execute(module)
                import_module(ENVIRONMENT)

            spec.loader.exec_module = execute_and_register  # type: ignore[method-assign]
        return spec


def register() -> None:
    """Make `robosuite.make("HiermapKitchen", ...)` work, whichever of the two is imported first; imports nothing heavy by itself."""
    if "robosuite" in sys.modules:
        import_module(ENVIRONMENT)
    else:
        sys.meta_path.insert(0, _WhenRobosuiteIsImported())
