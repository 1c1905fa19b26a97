"""hiermap: see, imagine, plan and act in kitchens, with one spatial map per primitive, a learned world model and graph search."""

from hiermap.execute import ExecutionResult, RealWorld, execute
from hiermap.planner import Planner
from planners import PLANNERS, Budget, Plan, PlanResult, PlanStep, Status
from primitives.specs import PRIMITIVES, Command, PrimitiveResult, PrimitiveSpec
from worlds.base import (
    Action,
    CameraView,
    ConfigError,
    DataError,
    GripperState,
    HiermapError,
    InvalidObservationError,
    Node,
    Observation,
    Outcome,
    PhysicsError,
    World,
)
from worlds.check import check_world
from worlds.frame import SpatialFrame
from worlds.goals import Goal, Predicate, Target

__version__ = "0.1.0"

__all__ = [
    "PLANNERS",
    "PRIMITIVES",
    "Action",
    "Budget",
    "CameraView",
    "Command",
    "ConfigError",
    "DataError",
    "ExecutionResult",
    "Goal",
    "GripperState",
    "HiermapError",
    "InvalidObservationError",
    "Node",
    "Observation",
    "Outcome",
    "PhysicsError",
    "Plan",
    "PlanResult",
    "PlanStep",
    "Planner",
    "Predicate",
    "PrimitiveResult",
    "PrimitiveSpec",
    "RealWorld",
    "SpatialFrame",
    "Status",
    "Target",
    "World",
    "check_world",
    "execute",
]
