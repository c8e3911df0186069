"""What all tests share: hypothesis without deadlines, since compiling can happen in any example."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "hftlib", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("hftlib")
