"""What the tests of promotion share: a registry and days of their own, made once."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def promotions(tmp_path_factory):
    return tmp_path_factory.mktemp("promotions")


@pytest.fixture(scope="module")
def place(promotions):
    """The same folder for every module; what names it is gone with each."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HFT_TRACKING_URI", f"sqlite:///{promotions}/mlruns/mlflow.db")
        patched.setenv("HFT_TAPES", str(promotions / "tapes"))
        yield promotions
