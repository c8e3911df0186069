"""Marked cells become a module that decides as the cells do, and it is the same each time."""

import copy
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest

import hftlib as hft
from hftlib.promote.exporting import export
from hftlib.strategy.files import strategy_named
from tests.promote.notebooks_made import STRATEGY, code, notebook, sound

ROOT = Path(__file__).parent.parent.parent
STRATEGIES = ROOT / "notebooks" / "strategies"
NOTEBOOKS = sorted(STRATEGIES.glob("*.ipynb"))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Each notebook of the project, exported once."""
    folder = tmp_path_factory.mktemp("exported")
    return {path.stem: export(path, folder) for path in NOTEBOOKS}


@pytest.fixture(scope="module")
def tape():
    return hft.to_tape(hft.synthetic(symbols=2, seconds=120, seed=3))


def of_cells(path, folder):
    """The class as the notebook's own cells make it, all marked cells in one file, by hand."""
    cells = json.loads(path.read_text())["cells"]
    marked = ["".join(c["source"]) for c in cells if "".join(c["source"]).startswith("#| export")]
    assert marked
    place = folder / f"by_hand_{path.stem}.py"
    place.write_text("\n\n".join(marked))
    return strategy_named(str(place))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_module_gives_the_orders_that_the_cells_give(path, exported, tape, tmp_path):
    made = exported[path.stem]
    settings = {"params": made.parameters, "limits": hft.Limits(position_lots=50_000)}
    venue = hft.Venue(order_latency="250us", feed_latency="50us")
    module = hft.backtest(
        strategy_named(f"{made.module}:{made.strategy}"), tape, venue=venue, **settings
    )
    cells = hft.backtest(of_cells(path, tmp_path), tape, venue=venue, **settings)
    assert len(module.orders) > 0, "it did something on this tape"
    assert module.digest == cells.digest


def test_what_is_said_of_an_export(exported):
    made = exported["queue_imbalance"]
    assert made.name == "queue_imbalance" and made.strategy == "QueueImbalance"
    assert made.digest == hashlib.sha256(made.module.read_bytes()).hexdigest()
    assert made.parameters["edge_ticks"] == 2 and set(made.research) == {"seconds", "seed"}
    assert made.notebook == STRATEGIES / "queue_imbalance.ipynb"
    # A duration is what the class makes of its text.
    assert exported["flow_momentum"].parameters["hold"] == 5_000_000_000
    text = made.module.read_text()
    assert "backtest" not in text and "plotly" not in text, "research stays behind"
    left = [one for one in made.module.parent.iterdir() if one.name != "__pycache__"]
    assert [path.suffix for path in left] == [".py"] * len(NOTEBOOKS)


def test_only_marked_cells_decide_the_bytes(tmp_path):
    cells = sound()
    first = export(notebook(tmp_path, cells), tmp_path / "a")
    other = copy.deepcopy(cells)
    for number, cell in enumerate(other):
        cell["metadata"]["collapsed"] = True
        cell["id"] = f"other{number}"
        if cell["cell_type"] == "code":
            cell["execution_count"] = 40 + number
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "42"}]
            cell["source"] = cell["source"].splitlines(keepends=True)
    other.insert(1, code("seconds = 3\nimport os"))
    other.append({"cell_type": "markdown", "metadata": {}, "source": "# Another\n#| export"})
    elsewhere = tmp_path / "deep" / "er"
    elsewhere.mkdir(parents=True)
    metadata = {"kernelspec": {"name": "x", "language": "python", "display_name": "x"}}
    second = export(notebook(elsewhere, other, metadata=metadata), tmp_path / "b")
    assert first.module.read_bytes() == second.module.read_bytes()
    assert first.digest == second.digest
    # Cells without ids, as older notebooks have them, and the same once more.
    for cell in cells:
        cell.pop("id", None)
    third = export(notebook(tmp_path, cells, nbformat_minor=4), tmp_path / "a")
    assert third.digest == first.digest
    changed = sound(
        strategy=STRATEGY.replace("clip: int = hft.param(100", "clip: int = hft.param(200")
    )
    assert export(notebook(tmp_path, changed), tmp_path / "a").digest != first.digest


def test_values_given_beside_the_notebook(tmp_path):
    path = notebook(tmp_path, sound())
    made = export(path, tmp_path / "out", parameters={"edge_ticks": 5, "seconds": 9})
    assert made.parameters == {"edge_ticks": 5} and made.research == {"seconds": 9}
    with pytest.raises(hft.HftError, match=r"no parameter 'edge_tick'.*Did you mean 'edge_ticks'"):
        export(path, tmp_path / "out", parameters={"edge_tick": 5})
    # A parameter of the class that the notebook does not state cannot be given from outside.
    with pytest.raises(hft.HftError, match="The notebook has no parameter 'clip'"):
        export(path, tmp_path / "out", parameters={"clip": 5})


def test_one_of_several_strategies_by_its_name(tmp_path):
    second = STRATEGY.replace("Maker", "Taker").replace("#| export\n", "")
    path = notebook(tmp_path, sound(second))
    with pytest.raises(hft.HftError, match="2 strategies: Taker in cell 4, Maker in cell 5"):
        export(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert export(path, tmp_path / "out", strategy="Taker").strategy == "Taker"
    with pytest.raises(hft.HftError, match=r"no strategy 'Make'.*Did you mean 'Maker'"):
        export(path, tmp_path / "out", strategy="Make")


def test_blocks_constants_helpers_and_enums_may_be_exported(tmp_path):
    helpers = """from __future__ import annotations
import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from hftlib import jit, sizing

HALF = 1.0 / math.sqrt(4.0)
TABLE = tuple(float(x) for x in np.round(np.linspace(0.0, 1.0, 5) ** 2, 3))


class Side(IntEnum):
    UP = 1


@dataclass(frozen=True)
class Setting:
    most: int = 3


@jit.compiled("float64(float64)")
def half(x: float) -> float:
    return x * 0.5
"""
    strategy = STRATEGY.replace("edge = self", "edge = half(HALF) * TABLE[1] * self").replace(
        "def on_book",
        "def size(self):\n        return self.clip\n\n"
        "    def twice(self):\n        return 2 * self.size()\n\n"
        "    def lots(self, equity):\n        return sizing.by_equity(equity, 0.1, 5.0)\n\n"
        "    def on_book",
    )
    cells = sound(strategy=strategy)
    cells.insert(2, code(f"#| export\n{helpers}"))
    made = export(notebook(tmp_path, cells), tmp_path / "out")
    assert "np.linspace" in made.module.read_text()


def test_the_command(tmp_path):
    path = notebook(tmp_path, sound())
    told = hft_command(tmp_path, "export", path, "-p", "edge_ticks=3")
    assert told.returncode == 0, told.stderr
    assert "idea.py: Maker(edge_ticks=3)" in told.stdout and "SHA-256" in told.stdout
    told = hft_command(tmp_path, "export", path, "--into", "out", "--json")
    made = json.loads(told.stdout)
    assert made["strategy"] == "Maker" and made["parameters"] == {"edge_ticks": 2}
    assert (tmp_path / "exported" / "idea.py").exists() and (tmp_path / made["module"]).exists()
    told = hft_command(tmp_path, "export", path, "-p", "edge_ticks=9")
    assert told.returncode == 2 and "above its bound 5" in told.stderr
    assert "Traceback" not in told.stderr


def hft_command(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-c", "from hftlib.cli import main; main()", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_and_its_twin_say_the_same(path, tmp_path):
    twin = path.with_suffix(".py")

    def said(notebook):
        return [(c.cell_type, c.source, c.metadata.get("tags", [])) for c in notebook.cells]

    own = said(nbformat.read(path, as_version=4))
    assert own == said(jupytext.reads(twin.read_text(), fmt="py:percent")), (
        f"run: jupytext --sync {path.relative_to(ROOT)}"
    )


def test_jupyterlab_keeps_the_twin_in_step(tmp_path):
    """The contents manager that JupyterLab saves through, with the project's own settings."""
    from jupytext.sync_contentsmanager import TextFileContentsManager

    for name in ("jupytext.toml", "queue_imbalance.ipynb", "queue_imbalance.py"):
        (tmp_path / name).write_bytes((STRATEGIES / name).read_bytes())
    manager = TextFileContentsManager()
    manager.root_dir = str(tmp_path)
    model = manager.get("queue_imbalance.ipynb")
    model["content"]["cells"][0]["source"] = "# Another title"
    manager.save(model, "queue_imbalance.ipynb")
    twin = (tmp_path / "queue_imbalance.py").read_text()
    assert twin.startswith("# %% [markdown]\n# # Another title\n")
    # A copy has a twin from its first save on, without any setting of its own.
    manager.save(model, "mine.ipynb")
    assert (tmp_path / "mine.py").read_text() == twin
