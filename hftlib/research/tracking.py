"""The registry of runs: MLflow, on the project's own store unless the environment names another.

    with registry() as client: ...        an MlflowClient; nobody else's active run is touched
    experiment_of(client, "sweeps")       the experiment's id, made where there is none

HFT_TRACKING_URI says where, or MLFLOW_TRACKING_URI; without them it is `mlruns/mlflow.db` below
the current folder, with artifacts beside it.

Worst case: importing MLflow takes seconds, and so does the first use of a new store.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hftlib.core.errors import HostError

FOLDER = "mlruns"
_FILE = "sqlite:///"


def registry_uri() -> str:
    """Where runs are kept."""
    named = os.environ.get("HFT_TRACKING_URI") or os.environ.get("MLFLOW_TRACKING_URI")
    return named or f"{_FILE}{Path(FOLDER).resolve() / 'mlflow.db'}"


def registry_file() -> Path | None:
    """The file that the store is, where it is one."""
    uri = registry_uri()
    return Path(uri.removeprefix(_FILE)) if uri.startswith(_FILE) else None


@contextmanager
def registry() -> Iterator[Any]:
    """A client of the store; what it cannot do is said in a sentence."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    # A new store reports each of its thirty migrations; nobody needs to read them.
    for name in ("alembic", "mlflow.store", "mlflow.tracking"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError  # of a file that is no store
    except ImportError as error:
        raise HostError(
            f"MLflow is not installed: {error}",
            where="the registry of runs",
            do="Install the research packages: pip install 'hftlib[research]'.",
        ) from None
    try:
        file = registry_file()
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        yield MlflowClient(tracking_uri=registry_uri())
    except (MlflowException, SQLAlchemyError, OSError) as error:
        told = " ".join(str(error).split())[:200]
        raise HostError(
            f"The registry of runs does not answer: {told}",
            where=registry_uri(),
            do="Set HFT_TRACKING_URI to a store that can be written, or leave it out.",
        ) from None


def experiment_of(client: Any, name: str) -> str:
    """The id of the experiment of that name."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    file = registry_file()
    place = None if file is None else (file.parent / "artifacts" / name).resolve().as_uri()
    return str(client.create_experiment(name, artifact_location=place))
