"""Days that the tests of the report share: real runners beside a real exchange, each made once."""

from __future__ import annotations

import shutil

import day_desk
import pytest


@pytest.fixture(scope="session")
def traded(tmp_path_factory):
    """Two strategies, people who halt and lift, a kill and a restart."""
    return day_desk.traded(tmp_path_factory.mktemp("traded"))


@pytest.fixture(scope="session")
def switched(tmp_path_factory):
    """Blue, and green that took over from it."""
    return day_desk.switched(tmp_path_factory.mktemp("switched"))


@pytest.fixture(scope="session")
def shadowed(tmp_path_factory):
    """Nothing was sent, a model answered."""
    return day_desk.shadowed(tmp_path_factory.mktemp("shadowed"))


@pytest.fixture(scope="session")
def quiet(tmp_path_factory):
    """A session in which nothing was sent."""
    return day_desk.quiet(tmp_path_factory.mktemp("quiet"))


@pytest.fixture
def copied(traded, tmp_path):
    """The traded day, to be harmed."""
    return shutil.copytree(traded, tmp_path / traded.name)


@pytest.fixture(scope="session")
def report(traded):
    from hftlib.research.day.report import day_report

    return day_report(traded, parity=False)
