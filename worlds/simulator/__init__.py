import logging
import os

from hiermap.worlds.errors import GraphicsError

try:
    import mujoco  # noqa: F401
# An unknown name, or whatever the loader of a missing library raises.
except Exception as error:
    raise GraphicsError(
        f"MUJOCO_GL={os.environ.get('MUJOCO_GL')} cannot be loaded by mujoco ({type(error).__name__}); unset it, hiermap draws nothing by "
        "graphics libraries unless sensing.backend=mujoco; `hiermap doctor` tells which are there"
    ) from error

# robosuite greets every process that imports it with warnings about optional parts that are not used here; its errors still come through.
logging.getLogger("robosuite_logs").addFilter(lambda record: record.levelno >= logging.ERROR)
