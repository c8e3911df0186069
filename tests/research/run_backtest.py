"""One backtest in a process of its own: `python run_backtest.py TAPE what [number]`."""

import os
import resource
import signal
import sys
import time
import warnings

import hftlib as hft
from tests.engine.restless import Restless

VENUE = hft.Venue(order_latency="150us", feed_latency="40us")


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def digest(tape, cpu=None):
    if cpu is not None:
        os.sched_setaffinity(0, {int(cpu)})
    print(hft.backtest(Restless(), tape, venue=VENUE).digest)


def for_ever(tape):
    """Runs until it is interrupted, and says that it could tidy up."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in a background job it is ignored
    opened = hft.open_tape(tape)
    hft.backtest(Restless(), opened[:100], venue=VENUE)  # all is compiled
    print("begins", flush=True)
    try:
        while True:
            hft.backtest(Restless(), opened, venue=VENUE)
    except KeyboardInterrupt:
        print("interrupted", time.monotonic(), flush=True)
        raise SystemExit(7) from None


def many(tape, count):
    """Small backtests one after another: the growth of memory in bytes, after a first hundred."""
    warnings.simplefilter("ignore")
    opened, digests = hft.open_tape(tape)[:300], set()
    early = 0
    for number in range(int(count)):
        if number == 100:
            early = resident()
        digests.add(hft.backtest(Restless(), opened, venue=VENUE).digest)
    print(len(digests), resident() - early)


def memory(tape):
    """What one run takes at most, beyond what lies in files, in bytes."""
    opened = hft.open_tape(tape)
    hft.backtest(Restless(), opened[:1000], venue=VENUE, every="1s")
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the highest mark begins anew
    result = hft.backtest(Restless(), opened, venue=VENUE, every="1s")
    with open("/proc/self/status") as file:
        status = dict(line.split(":", 1) for line in file)
    mapped = int(status["RssFile"].split()[0]) * 1024
    print(int(status["VmHWM"].split()[0]) * 1024 - mapped, len(result.records["orders"]))


if __name__ == "__main__":
    {"digest": digest, "for_ever": for_ever, "many": many, "memory": memory}[sys.argv[2]](
        sys.argv[1], *sys.argv[3:]
    )
