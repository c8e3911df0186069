"""What the tests of promotion share: a registry and days of their own, made once."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="package")
def place(tmp_path_factory):
    made = tmp_path_factory.mktemp("promotions")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HFT_TRACKING_URI", f"sqlite:///{made}/mlruns/mlflow.db")
        patched.setenv("HFT_TAPES", str(made / "tapes"))
        yield made
