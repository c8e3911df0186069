"""A real JupyterLab with a folder of notebooks of its own, for a real browser to look at."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium")
BASE = "/desk/lab-of-ann/"  # as behind a hub: whatever is asked for from the root is an error

QUIET = "c.LabApp.check_for_updates_class = 'jupyterlab.NeverCheckForUpdate'\n"


class Lab:
    """`jupyter lab` until it is closed; all it keeps is in `folder`."""

    def __init__(self, folder: Path, config: str = "") -> None:
        self.folder, self.token = folder, secrets.token_hex(8)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        settings = folder / "config"
        settings.mkdir()
        (settings / "jupyter_lab_config.py").write_text(f"c = get_config()\n{QUIET}{config}")
        names = ("config", "data", "runtime")
        own = {f"JUPYTER_{name.upper()}_DIR": str(folder / name) for name in names}
        words = [
            "--no-browser",
            "--allow-root",
            f"--port={self.port}",
            "--ServerApp.port_retries=0",
        ]
        words += [f"--ServerApp.base_url={BASE}", f"--IdentityProvider.token={self.token}"]
        self.log = (folder / "lab.log").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *words, f"--notebook-dir={folder}"],
            stdout=self.log,
            stderr=subprocess.STDOUT,
            env=os.environ | own | {"JUPYTERLAB_SETTINGS_DIR": str(settings)},
            cwd=folder,
        )
        self._opened()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{BASE}{path}?token={self.token}"

    def asked(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url(path), timeout=60) as answer:
            return bytes(answer.read())

    def notebook(self, name: str, *cells: str) -> str:
        """A notebook of these cells, of the kernel that the tests run in."""
        made = [
            {"cell_type": "code", "id": f"c{n}", "metadata": {}, "outputs": []}
            | {"execution_count": None, "source": text}
            for n, text in enumerate(cells)
        ]
        spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        whole = {
            "cells": made,
            "metadata": {"kernelspec": spec},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        (self.folder / name).write_text(json.dumps(whole))
        return self.url(f"lab/workspaces/{Path(name).stem}/tree/{name}")  # nothing else is open

    def _opened(self) -> None:
        end = time.monotonic() + 180
        while True:
            assert self.process.poll() is None, (self.folder / "lab.log").read_text()
            try:
                self.asked("api/status")
                return
            except OSError:
                assert time.monotonic() < end, (self.folder / "lab.log").read_text()
                time.sleep(0.1)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)
        self.log.close()

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *_failure: object) -> None:
        self.close()


def needs_browser() -> None:
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt install chromium")
