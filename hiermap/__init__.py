"""hiermap: see, imagine, plan and act in kitchens, with one spatial map per primitive, a learned world model and graph search.

Public names are loaded when first asked for: `import hiermap` takes neither torch nor mujoco into the process, but makes
`gymnasium.make("hiermap/Kitchen-v0")` and, with robosuite, `robosuite.make("HiermapKitchen", ...)` work.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import gymnasium

from hiermap.system import robosuite_hook

if TYPE_CHECKING:
    from hiermap.agent.execute import execute
    from hiermap.agent.execution import ExecutedStep, ExecutionResult
    from hiermap.agent.options import ExecutionOptions
    from hiermap.agent.planner import Planner
    from hiermap.agent.session import Session
    from hiermap.evaluation.problem import pose
    from hiermap.planners import PLANNERS, Budget, Plan, PlanResult, PlanStep, SearchOptions, Status
    from hiermap.primitives.specs import PRIMITIVES, Command, PrimitiveResult, PrimitiveSpec
    from hiermap.worlds.base import Action, CameraView, GripperState, Node, Observation, Outcome, World
    from hiermap.worlds.check import check_world
    from hiermap.worlds.errors import ConfigError, DataError, HiermapError, InvalidObservationError, PhysicsError
    from hiermap.worlds.frame import SpatialFrame
    from hiermap.worlds.goals import Goal, Predicate, Target
    from hiermap.worlds.perception.fusion import SpatialView
    from hiermap.worlds.scene import RealWorld, Scene

__version__ = "0.1.0"

_ROOMS = {
    "hiermap.agent.execute": ("execute",),
    "hiermap.agent.execution": ("ExecutedStep", "ExecutionResult"),
    "hiermap.agent.options": ("ExecutionOptions",),
    "hiermap.agent.planner": ("Planner",),
    "hiermap.agent.session": ("Session",),
    "hiermap.evaluation.problem": ("pose",),
    "hiermap.planners": ("PLANNERS", "Budget", "Plan", "PlanResult", "PlanStep", "SearchOptions", "Status"),
    "hiermap.primitives.specs": ("PRIMITIVES", "Command", "PrimitiveResult", "PrimitiveSpec"),
    "hiermap.worlds.base": ("Action", "CameraView", "GripperState", "Node", "Observation", "Outcome", "World"),
    "hiermap.worlds.check": ("check_world",),
    "hiermap.worlds.errors": ("ConfigError", "DataError", "HiermapError", "InvalidObservationError", "PhysicsError"),
    "hiermap.worlds.frame": ("SpatialFrame",),
    "hiermap.worlds.goals": ("Goal", "Predicate", "Target"),
    "hiermap.worlds.perception.fusion": ("SpatialView",),
    "hiermap.worlds.scene": ("RealWorld", "Scene"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = sorted(_ROOM_OF)

gymnasium.register(id="hiermap/Kitchen-v0", entry_point="hiermap.worlds.gym.environment:KitchenEnv")
gymnasium.register(id="hiermap/Chain-v0", entry_point="hiermap.worlds.gym.environment:chain")
robosuite_hook.register()


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'hiermap' has no attribute {name!r}; public names: {', '.join(__all__)}")
    value = globals()[name] = getattr(import_module(_ROOM_OF[name]), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
