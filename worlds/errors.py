"""Every error hiermap raises on purpose."""


class HiermapError(Exception):
    """Root of every error hiermap raises on purpose; messages say what was got, what was expected and what to try."""


class InvalidObservationError(HiermapError, ValueError):
    """An image, depth or calibration that cannot be used."""


class InvalidGoalError(HiermapError, ValueError):
    """A goal that nothing can make true: of what it says, or of what its masks show."""


class PhysicsError(HiermapError, RuntimeError):
    """The simulation diverged; the episode is void, never a success."""


class GraphicsError(HiermapError, ImportError):
    """MuJoCo cannot be loaded with the graphics library that the environment asks for."""


class ConfigError(HiermapError, ValueError):
    """An unknown key or an unusable value in a configuration."""


class DataError(HiermapError, ValueError):
    """A stored episode or weights file that is damaged, foreign or unsafe."""
