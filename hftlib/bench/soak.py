"""`hft bench soak --minutes 10` (`make soak`): a runner that trades for a while at twice the peak.

    hft exchange, agents ─ two lines of multicast ─▶ hft live, limits that bite ─ OUCH ─▶ back
                         ─ drop copy ─▶ this process, which also looks into /proc once a second

Two real processes on real sockets. The feed runs at twice RECORDED_PEAK all the time; a strategy
that quotes at every event wants more than its limits grant. Then it says whether no datagram was
dropped or lost for good, memory did not grow, no limit was ever broken, and the journal replays.

RECORDED_PEAK: the busiest second of all recordings of a feed that the project has is one of the
pre-open of 8,915 symbols; the busiest one of orders has 1,205 messages.

Worst case: the journal takes some 260 MB a minute, in a temporary folder (TMPDIR).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hftlib.bench import soak_host as host
from hftlib.bench.soak_day import looked_over
from hftlib.bench.soak_looks import PATIENCE_S, Copy, Looks, Watched
from hftlib.bench.soak_verdict import Soaked
from hftlib.core import clock
from hftlib.core.control.asking import told
from hftlib.core.errors import StateError
from hftlib.terminal import Advance
from hftlib.venue.floor.demo import ACCOUNTS

RECORDED_PEAK = 26_721  # messages in a second
RATE = 2 * RECORDED_PEAK
AHEAD = 1.06  # of the rate wanted: what is asked of the agents, so that no second falls short
MESSAGES_EACH = 0.9  # of the feed, for a command of the agents
MESSAGE_BYTES = 44  # at most, with its length
SYMBOLS = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG", "HHH")
STRATEGY, USER, COPY_USER, PASSWORD = "QueueImbalance", "frm1a", "frm1d", "secret"
POSITION_LOTS, MESSAGES = 300, 1_000  # limits; the strategy would hold 500, and say far more
WARM_S, WARM_SHARE, WARM_S_LEAST = 60.0, 0.25, 3.0
ROOM = 1.5  # for what the exchange keeps, beside what it should come to


def soak(
    minutes: float,
    advance: Advance,
    rate: float = RATE,
    messages: int = MESSAGES,
    position_lots: int = POSITION_LOTS,
) -> Soaked:
    """Run it, and say what came of it. `messages` and `position_lots` are the limits.

    The market opens once the runner listens: what lies before is asked for piece by piece, and
    that takes longer than the feed goes on at this rate.
    """
    seconds = 60.0 * minutes
    warm_s = max(WARM_S_LEAST, min(WARM_S, WARM_SHARE * seconds))
    with tempfile.TemporaryDirectory(prefix="hft-soak-") as made:
        folder = Path(made)
        write_configuration(folder, rate, warm_s + seconds, messages, position_lots)
        soaked = Soaked(minutes, rate, messages, position_lots)
        _run(folder, soaked, seconds, warm_s, advance)
        soaked.journal_bytes = host.folder_bytes(folder / "day.journal")
        soaked.replay = _replayed(folder, advance)
    return soaked


def write_configuration(
    folder: Path, rate: float, seconds: float, messages: int, position_lots: int
) -> None:
    """What the exchange and the runner are told: `exchange.toml`, `limits.toml`."""
    feed_messages = int(ROOM * AHEAD * rate * (seconds + PATIENCE_S)) + (1 << 20)
    own_messages = int(ROOM * 20 * messages * (seconds + PATIENCE_S)) + (1 << 16)
    tables: dict[str, Any] = {
        "state": '"closed"',  # agents act, and nothing comes of it
        "feed_messages_max": feed_messages,
        "feed_store_bytes_max": MESSAGE_BYTES * feed_messages,
        "session_messages_max": own_messages,
        "session_store_bytes_max": 80 * own_messages,
    }
    lines = ["[exchange]", *(f"{name} = {value}" for name, value in tables.items())]
    for name in SYMBOLS:
        lines += ["[[symbols]]", f'name = "{name}"']
    for firm in ("FRM1", "FRM2"):
        lines += ["[[firms]]", f'name = "{firm}"']
    for account in ACCOUNTS:
        told = (f"{name} = {json.dumps(value)}" for name, value in account.items())
        lines += ["[[accounts]]", *told]
    each = AHEAD * rate / MESSAGES_EACH / len(SYMBOLS)
    lines += ["[market]", 'flow = "agents"', f"events_per_second = {each:.1f}"]
    (folder / "exchange.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    limits = ['[instrument."*"]', f"position_lots = {position_lots}"]
    limits += ['[strategy."*"]', f"messages = {messages}"]
    (folder / "limits.toml").write_text("\n".join(limits) + "\n", encoding="utf-8")


def _run(folder: Path, soaked: Soaked, seconds: float, warm_s: float, advance: Advance) -> None:
    at_exchange, at_runner = folder / "exchange.socket", folder / "runner.socket"
    given = ["--config", "exchange.toml", "--json", "--control", str(at_exchange)]
    with host.started("exchange", folder, *given) as exchange:
        places = exchange.first_line(advance)
        given = [
            STRATEGY,
            "--exchange",
            "exchange.json",
            "--journal",
            "day.journal",
            "--user",
            USER,
        ]
        given += ["--limits", "limits.toml", "--json", "--control", str(at_runner)]
        with host.started("live", folder, *given) as runner:
            runner.first_line(advance)
            copy = Copy(tuple(places["drop_copy"]), COPY_USER, PASSWORD)
            seen = Watched()
            looks = Looks(exchange, runner, at_exchange, at_runner, copy, seen)
            looks.begin(advance)
            told(at_exchange, {"do": "trade"}, "exchange")
            looks.watch(warm_s, lambda _share, what: advance(0.0, f"warming up: {what}"))
            seen.samples.clear()
            seen.begun_ns, seen.drops_before = clock.now_ns(), looks.drops
            looks.watch(seconds, advance)
            seen.status, seen.exchange = looks.ask()
            soaked.ends["runner"] = runner.end()
            looks.hear_out(advance)
        soaked.ends["exchange"] = exchange.end()
    copy.close()
    soaked.watched, soaked.copied = asdict(seen), dict(copy.positions)
    soaked.copied_bytes_each = copy.bytes_heard / max(copy.heard, 1)
    soaked.copied_most, soaked.copied_executions = copy.most_held, copy.executions
    most = int(soaked.ends["exchange"]["counts"]["messages"])
    soaked.day = looked_over(folder / "day.journal", seen.begun_ns, most, advance)


def _replayed(folder: Path, advance: Advance) -> dict[str, Any]:
    """`hft replay` of the day, in a process of its own."""
    advance(1.0, "replaying the journal")
    done = subprocess.run(
        [sys.executable, "-c", host.PROGRAM, "replay", "day.journal", "--json"],
        check=False, cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    if not lines:
        raise StateError(
            f"The replay said nothing: {done.stderr.strip()[-500:]}",
            where="hft bench soak",
            do="That is a fault of ours; please report it.",
        )
    found: dict[str, Any] = json.loads(lines[-1])
    return found
