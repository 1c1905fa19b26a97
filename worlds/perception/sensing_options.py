"""How to look: which renderer, from where, and how well."""

from dataclasses import dataclass, field, fields
from typing import Annotated

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.perception.cameras import CameraSpec, default_cameras
from hiermap.worlds.records import check_fields, one_of

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
    depth_noise_m: Annotated[float, 0, 10] = 0.0
    depth_dropout: Annotated[float, 0, 0.999] = 0.0
    rgb_noise: Annotated[float, 0, 255] = 0.0
    light: Annotated[float, 0, 0.999] = 0.0
    camera_shift_m: Annotated[float, 0, 10] = 0.0
    camera_turn_rad: Annotated[float, 0, 4] = 0.0
    fiducial_noise_px: Annotated[float, 0, 1000] = 0.0

    def __post_init__(self) -> None:
        check_fields(self, "sensing")
        one_of("sensing.backend", self.backend, BACKENDS)
        if not self.cameras:
            raise ConfigError("sensing needs at least one camera; see hiermap.worlds.perception.cameras.default_cameras")

    @property
    def told(self) -> str:
        """Every fault the cameras have, as " name value"."""
        faults = {option.name: getattr(self, option.name) for option in fields(self) if isinstance(option.default, float)}
        return "".join(f" {name} {value:g}" for name, value in faults.items() if value)
