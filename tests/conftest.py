"""What all tests share: hypothesis without deadlines, since compiling can happen in any example.

A test that goes on for `fuzz_seconds`, or for `fuzz_messages`, is marked `fuzz`, so that
`make fuzz` finds it.
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "hftlib", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("hftlib")
FUZZING = {"fuzz_seconds", "fuzz_messages", "fuzzed", "fuzz_schedule", "rounds", "SECONDS"}


def pytest_collection_modifyitems(items):
    for item in items:
        code = getattr(getattr(item, "function", None), "__code__", None)
        if code is not None and FUZZING & set(code.co_names):
            item.add_marker("fuzz")
