"""nbdev's exporter, given the marked cells and nothing else.

nbdev wants a project around it: a settings file found upwards of the working folder, the module's
name in a cell, the path of the notebook in the module. Here it gets a notebook of its own, with the
marked cells alone, counted from 1, and a folder of ours. So no settings are looked for and none are
needed, and the same marked cells give the same bytes, whatever stands between them.

Worst case: half a second, for loading nbdev the first time.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hftlib.promote.notebook import Cell


def written(folder: Path, name: str, cells: Sequence[Cell]) -> Path:
    """Write `folder`/`name`.py from the marked cells."""
    from fastcore.nbio import dict2nb
    from nbdev.export import ExportModuleProc
    from nbdev.maker import ModuleMaker
    from nbdev.process import NBProcessor

    plain = [
        {"cell_type": "code", "id": str(number), "metadata": {}, "source": cell.source}
        for number, cell in enumerate(cells, 1)
    ]
    taken = ExportModuleProc()
    NBProcessor(nb=dict2nb({"cells": plain, "metadata": {}}), procs=[taken]).process()
    # `parse` would look for a project, to make imports relative; the allow-list has none to make.
    maker = ModuleMaker(dest=folder, name=name, nb_path=folder / f"{name}.ipynb", parse=False)
    maker.make(taken.modules["#"])
    return folder / f"{name}.py"
