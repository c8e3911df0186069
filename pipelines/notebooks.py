"""Execute the guides as a reader would, in a real kernel, and keep what they showed.

    python -m pipelines.notebooks            all of pipelines/notebooks.toml
    python -m pipelines.notebooks 00_plain_memory strategies/flow_momentum

papermill runs each notebook with the parameters stated there; the executed notebook and its time
go to one MLflow run in mlruns/. Every notebook must be listed, so none rots unseen. Worst case: the
first failing cell ends the run with its place and a link to the executed notebook.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

from hftlib.core.errors import HftError, HostError, InputError

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
STORE = ROOT / "mlruns"
SETTINGS = Path(__file__).with_name("notebooks.toml")
KERNEL_SECONDS_MAX = 180
CELL_SECONDS_MAX = 900


def main(names: list[str]) -> None:
    """Execute the named notebooks, or all."""
    plan = planned()
    for name in names or plan:
        if name not in plan:
            raise InputError(
                f"There is no notebook {name!r}",
                where=str(SETTINGS),
                do=f"Name one of: {', '.join(plan)}.",
            )
        seconds, place = execute(name, plan[name])
        print(f"{name}: executed in {seconds:.1f} s, kept as {place}")


def planned() -> dict[str, dict[str, Any]]:
    """Parameters by notebook, after checking them against the notebooks themselves."""
    import papermill

    plan: dict[str, dict[str, Any]] = tomllib.loads(SETTINGS.read_text())
    # Gates are not here: a promotion runs those, with parameters of its own.
    paths = [*NOTEBOOKS.glob("*.ipynb"), *(NOTEBOOKS / "strategies").glob("*.ipynb")]
    found = sorted(str(path.relative_to(NOTEBOOKS).with_suffix("")) for path in paths)
    if sorted(plan) != found:
        raise InputError(
            f"The plan lists {sorted(plan)}, the folder holds {found}",
            where=str(SETTINGS),
            do="Give every notebook a section of its own, and drop sections without a notebook.",
        )
    for name, parameters in plan.items():
        known = papermill.inspect_notebook(NOTEBOOKS / f"{name}.ipynb")
        unknown = sorted(set(parameters) - set(known))
        if unknown:
            raise InputError(
                f"The notebook has no parameter {', '.join(unknown)}",
                where=f"section [{name}] of {SETTINGS}",
                do=f"Its `parameters` cell has: {', '.join(known) or 'none'}.",
            )
    return plan


def execute(name: str, parameters: dict[str, Any]) -> tuple[float, str]:
    """Run one notebook and log it; returns its seconds and where the executed copy is."""
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    mlflow = _mlflow()
    with tempfile.TemporaryDirectory() as folder, mlflow.start_run(run_name=name) as run:
        executed = Path(folder) / Path(f"{name}.ipynb").name
        mlflow.log_params(parameters)
        start = time.perf_counter()
        try:
            papermill.execute_notebook(
                NOTEBOOKS / f"{name}.ipynb",
                executed,
                parameters=parameters,
                kernel_name="python3",
                cwd=(NOTEBOOKS / name).parent,
                start_timeout=KERNEL_SECONDS_MAX,
                execution_timeout=CELL_SECONDS_MAX,
                progress_bar=sys.stderr.isatty(),
                # The kernel listens on loopback only, and need not warn of it; nor need one that
                # Ctrl-C ends at work say where it was. What a cell raises does not come this way.
                extra_arguments=["--log-level=CRITICAL"],
            )
        except papermill.PapermillExecutionError as error:
            mlflow.log_artifact(str(executed))
            mlflow.end_run("FAILED")
            raise InputError(
                f"{error.ename}: {error.evalue}",
                where=f"cell {error.exec_count} of notebooks/{name}.ipynb",
                do=f"Open the executed copy: {_artifact(run, executed)}",
            ) from None
        except (DeadKernelError, CellTimeoutError) as error:
            mlflow.end_run("FAILED")
            raise HostError(
                f"The kernel is no more: {str(error).strip().splitlines()[0]}",
                where=f"notebooks/{name}.ipynb",
                do=f"Give a cell less to do than {CELL_SECONDS_MAX} seconds and the memory here.",
            ) from None
        seconds = time.perf_counter() - start
        mlflow.log_metric("seconds", seconds)
        mlflow.log_artifact(str(executed))
        return seconds, _artifact(run, executed)


def _mlflow() -> Any:
    """MLflow on the project's own store, unless the environment names a server."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    import logging

    import mlflow

    # The store's set-up reports each of its thirty migrations; nobody needs to read them.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("mlflow.store").setLevel(logging.WARNING)
    # Ctrl-C ends the kernel under those who wait for it. That it died, and that nobody asks its
    # waiters any more, is no news then; what else ends a kernel is raised, and told from there.
    for name in ("asyncio", "traitlets"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if "MLFLOW_TRACKING_URI" not in os.environ:
        mlflow.set_tracking_uri(f"sqlite:///{STORE / 'mlflow.db'}")
    if mlflow.get_experiment_by_name("notebooks") is None:
        artifacts = (STORE / "artifacts").as_uri()
        mlflow.create_experiment("notebooks", artifact_location=artifacts)
    mlflow.set_experiment("notebooks")
    return mlflow


def _artifact(run: Any, executed: Path) -> str:
    place = f"{run.info.artifact_uri}/{executed.name}".removeprefix("file://")
    path = Path(place)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else place


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except HftError as problem:
        print(f"error: {problem}", file=sys.stderr)
        sys.exit(problem.exit_code)
    except KeyboardInterrupt:
        # papermill has stopped its kernel on the way here.
        sys.exit(130)
