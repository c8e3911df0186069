"""What the tests of notebooks share: one paper session, one kernel, one JupyterLab."""

from __future__ import annotations

import pytest
from held import Held
from kernel_desk import Kernel
from paper_session import Paper

HELD = Held(__file__)
pytest_runtest_teardown = HELD.teardown


@pytest.fixture(scope="session")
def paper(tmp_path_factory):
    made = Paper(tmp_path_factory.mktemp("paper"))
    HELD.keep(made.close)
    return made


@pytest.fixture(scope="session")
def lab_folder(tmp_path_factory):
    import hftlib as hft

    made = tmp_path_factory.mktemp("lab")
    hft.to_tape(hft.synthetic(symbols=1, seconds=20, seed=7), made / "a day.tape")
    return made


@pytest.fixture(scope="session")
def kernel(lab_folder):
    made = Kernel(lab_folder)
    HELD.keep(made.close)
    return made
