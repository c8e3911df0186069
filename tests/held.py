"""What the tests of a folder share, ended as soon as the last of them is over.

    HELD = Held(__file__)                      in the folder's conftest
    pytest_runtest_teardown = HELD.teardown    called after each test of the folder

    HELD.keep(made.close); yield made          in a fixture of the whole session

A session is over after all other folders, and so is pytest's `package` where a folder is none: an
exchange and its runners would trade on beside every later test.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest


class Held:
    def __init__(self, file):
        self._folder, self._ends = Path(file).parent, ExitStack()

    def keep(self, end):
        """Have this called at the end of the folder's last test, what was kept last at first."""
        self._ends.callback(end)

    @pytest.hookimpl(wrapper=True)
    def teardown(self, item, nextitem):
        found = yield
        if nextitem is None or self._folder not in nextitem.path.parents:
            self._ends.close()
        return found
