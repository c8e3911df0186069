"""The guides run in a real kernel, and a wrong parameter or a failing cell is a sentence."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent


def copied(tmp_path: Path) -> Path:
    """The entry point with notebooks and a store of its own."""
    for name in ("pipelines", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "mlruns").mkdir()
    return tmp_path


def execute(root: Path, *names: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipelines.notebooks", *names],
        cwd=root,
        env=environment(root),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def environment(root: Path) -> dict[str, str]:
    made = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")}
    # The scripts are the copy's, the library is this one.
    made["PYTHONPATH"] = os.pathsep.join([str(root), str(ROOT)])
    return made


def test_every_guide_runs_and_is_kept(tmp_path):
    root = copied(tmp_path)
    done = execute(root)
    assert done.returncode == 0, done.stderr
    notebooks = root / "notebooks"
    paths = [*sorted(notebooks.glob("*.ipynb")), *(notebooks / "strategies").glob("*.ipynb")]
    plan = [str(path.relative_to(notebooks).with_suffix("")) for path in paths]
    assert len([name for name in plan if name.startswith("strategies/")]) >= 3
    for name in plan:
        (executed,) = (root / "mlruns").rglob(Path(f"{name}.ipynb").name)
        cells = json.loads(executed.read_text())["cells"]
        assert any(cell.get("outputs") for cell in cells)
        assert f"{name}: executed" in done.stdout

    broken = root / "notebooks" / f"{plan[0]}.ipynb"
    notebook = json.loads(broken.read_text())
    notebook["cells"][-1]["source"] = "raise ValueError('the market is closed')"
    broken.write_text(json.dumps(notebook))
    done = execute(root)
    assert done.returncode == 2, done.stderr
    assert "ValueError: the market is closed" in done.stderr
    assert "Traceback" not in done.stderr, done.stderr


def test_a_kernel_that_dies_is_a_sentence(tmp_path):
    root = copied(tmp_path)
    path = root / "notebooks" / "00_plain_memory.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"][-1]["source"] = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    path.write_text(json.dumps(notebook))
    done = execute(root, path.stem)
    assert done.returncode == 4, done.stderr
    assert "The kernel is no more: Kernel died." in done.stderr
    assert "Traceback" not in done.stderr, done.stderr


def test_a_parameter_the_notebook_does_not_have_is_refused(tmp_path):
    root = copied(tmp_path)
    plan = root / "pipelines" / "notebooks.toml"
    plan.write_text(plan.read_text().replace("items =", "itmes ="))
    done = execute(root)
    assert done.returncode == 2
    assert "no parameter itmes" in done.stderr
    assert "items" in done.stderr


def test_a_notebook_nobody_listed_is_refused(tmp_path):
    root = copied(tmp_path)
    shutil.copy(root / "notebooks" / "00_plain_memory.ipynb", root / "notebooks" / "99_lost.ipynb")
    done = execute(root)
    assert done.returncode == 2
    assert "99_lost" in done.stderr


def test_an_unknown_notebook_is_refused(tmp_path):
    done = execute(copied(tmp_path), "07_nothing")
    assert done.returncode == 2
    assert "no notebook '07_nothing'" in done.stderr


def test_ctrl_c_ends_the_run_and_its_kernel_without_a_traceback(tmp_path):
    root = copied(tmp_path)
    started = tmp_path / "started"
    path = root / "notebooks" / "00_plain_memory.ipynb"
    notebook = json.loads(path.read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    code[-1]["source"] = (
        "import os, pathlib, time\n"
        f"pathlib.Path({str(started)!r}).write_text(str(os.getpid()))\n"
        "time.sleep(600)"
    )
    path.write_text(json.dumps(notebook))
    run = subprocess.Popen(
        [sys.executable, "-m", "pipelines.notebooks", path.stem],
        cwd=root,
        env=environment(root),
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 120
    while not (started.exists() and started.read_text()):
        assert run.poll() is None and time.monotonic() < end
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    _, complaints = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "Traceback" not in complaints
    assert not Path("/proc", started.read_text()).exists()
