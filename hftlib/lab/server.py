"""The desk and MLflow behind JupyterLab's own address and login: `make lab` opens all three.

    [project.entry-points.jupyter_serverproxy_servers]
    hft-desk = "hftlib.lab.server:desk"
    mlflow   = "hftlib.lab.server:tracking"

jupyter-server-proxy starts each when it is first asked for, on a socket or port of its own that
nobody else is told, and passes on what somebody who is logged in to Jupyter asks below
`/hft-desk/` and `/mlflow/`. They end with the server. Worst case: a first look at MLflow waits
while it starts, up to START_S.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

START_S = 60
ICONS = Path(__file__).with_name("web")
STORE = "HFT_TRACKING_URI"
