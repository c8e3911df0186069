"""Ask the gates about a strategy, as CI does it.

    python -m pipelines.promote notebooks/strategies/queue_imbalance.ipynb --keep-going --json

The same as `hft promote`, from the folder of the project and whatever is on the path: arguments and
exit codes are the same. Worst case: the time limits of all gates.
"""

from __future__ import annotations

import sys

from hftlib.cli import main

if __name__ == "__main__":
    sys.argv = ["hft", "promote", *sys.argv[1:]]
    main()
