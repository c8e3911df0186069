"""The desk and MLflow behind JupyterLab's own address and login: `make lab` opens all three.

    [project.entry-points.jupyter_serverproxy_servers]
    hft-desk = "hftlib.lab.server:desk"
    mlflow   = "hftlib.lab.server:tracking"

jupyter-server-proxy starts each when it is first asked for, on a port of its own on this host, and
passes on what somebody who is logged in to Jupyter asks below `/hft-desk/` and `/mlflow/`. In
JupyterLab both are tiles of the launcher. They end with the server.

Each believes a browser only where it uses the server's own address, so the proxy names that;
whether another site asked is told by `Sec-Fetch-Site`, which is passed on, and by Jupyter's login.
Through here the desk looks: who acts opens the control plane of `hft desk`.

Worst case: a first look at MLflow waits while it starts, up to START_S.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

START_S = 90
ICONS = Path(__file__).with_name("web")
_OWN = {"Host": "127.0.0.1:{port}", "Origin": "http://127.0.0.1:{port}"}
_HFT = (sys.executable, "-c", "from hftlib.cli import main; main()")


def desk() -> dict[str, Any]:
    """`hft desk`, the plane that looks."""
    command = [*_HFT, "desk", "--view", "127.0.0.1:{port}", "--control", "off"]
    return _served("hft desk", "desk.svg", command)


def tracking() -> dict[str, Any]:
    """MLflow over the registry of runs: sweeps, promotions, notebooks."""

    def command() -> list[str]:
        from hftlib.research.tracking import registry_file, registry_uri

        store = registry_file()
        if store is not None:
            store.parent.mkdir(parents=True, exist_ok=True)
        words = ["--backend-store-uri", registry_uri(), "--host", "127.0.0.1", "--workers", "1"]
        prefix = ["--port", "{port}", "--static-prefix", "{base_url}mlflow"]
        return [sys.executable, "-m", "mlflow", "server", *words, *prefix]

    told = _served("MLflow", "tracking.svg", command)
    # It writes addresses into its page, so it is told the whole path.
    return told | {"absolute_url": True, "environment": {"MLFLOW_DISABLE_TELEMETRY": "true"}}


def _served(title: str, icon: str, command: Any) -> dict[str, Any]:
    entry = {"title": title, "icon_path": str(ICONS / icon), "enabled": True}
    return {
        "command": command,
        "timeout": START_S,
        "new_browser_tab": True,  # the desk lets no page frame it
        "launcher_entry": entry,
        "request_headers_override": _OWN,
    }
