"""How to look: which renderer, from where, and how well."""

from dataclasses import dataclass, field, fields
from math import inf

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.perception.cameras import CameraSpec, default_cameras

BACKENDS = ("rays", "mujoco")


@dataclass(frozen=True)
class SensingOptions:
    """How to look.

    Attributes:
        backend: "rays" (any machine) or "mujoco" (needs EGL or OSMesa).
        cameras: where the cameras stand, as calibrated; from code only.
        depth_noise_m: standard deviation of depth at 1 m [m]; grows with the square of the distance.
        depth_dropout: fraction of pixels without depth.
        rgb_noise: standard deviation of colour in 0..255.
        light: the light is up to this share brighter or darker, and comes (for rays) from up to this angle [rad] aside.
        camera_shift_m, camera_turn_rad: how far each camera was moved since its calibration, in a random direction and about a random axis.
        fiducial_noise_px: standard deviation of a mark's detected place.
    """

    backend: str = "rays"
    cameras: tuple[CameraSpec, ...] = field(default_factory=default_cameras, metadata={"omegaconf_ignore": True})
    depth_noise_m: float = 0.0
    depth_dropout: float = 0.0
    rgb_noise: float = 0.0
    light: float = 0.0
    camera_shift_m: float = 0.0
    camera_turn_rad: float = 0.0
    fiducial_noise_px: float = 0.0

    def __post_init__(self) -> None:
        if self.backend not in BACKENDS:
            raise ConfigError(f"unknown sensing backend {self.backend!r}; known: {', '.join(BACKENDS)}")
        if not self.cameras:
            raise ConfigError("sensing needs at least one camera; see hiermap.worlds.perception.cameras.default_cameras")
        for option in fields(self):
            value = getattr(self, option.name)
            if isinstance(option.default, float) and not 0 <= value < inf:
                raise ConfigError(f"{option.name} is a number from 0 up, got {value}")
        for name in ("depth_dropout", "light"):
            if getattr(self, name) >= 1:
                raise ConfigError(f"{name} is a fraction below 1, got {getattr(self, name)}")

    @property
    def told(self) -> str:
        """Every fault the cameras have, as " name value"."""
        faults = {option.name: getattr(self, option.name) for option in fields(self) if isinstance(option.default, float)}
        return "".join(f" {name} {value:g}" for name, value in faults.items() if value)
