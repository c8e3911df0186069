"""A sweep in a process of its own, to be interrupted: `python sweep_process.py FOLDER METHOD`."""

import signal
import sys

import hftlib as hft
from tests.research.sweep_desk import VENUE, Chancy, tapes

SPACE = {"edge": (1, 12), "lean": (0.0, 3.0)}
TRIALS = 400


def swept(folder, method, trials=TRIALS, workers=2):
    return hft.sweep(
        Chancy, list(tapes()), SPACE, method=method, trials=trials, venue=VENUE, folder=folder,
        seed=3, workers=workers, step="10s", objective="pnl_net",
    )  # fmt: skip


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in a background job it is ignored
    swept(sys.argv[1], sys.argv[2])
