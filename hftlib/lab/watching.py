"""A runner live in a notebook: `hft.watch()` and `hft.ladder("AAA")`.

    hft.watch()                    the only runner of yours; hft.watch("r.sock") one of several
    hft.watch(pieces=("runner", "orders", "fills"))
    hft.ladder("AAA")              its book of an instrument, with our orders in the queue

They read the page that the runner writes (`ops/page_reading.py`), which asks nothing of it, and its
socket where there is no page. Nothing here can tell the runner anything. What a look did not find
is a line below the last figures: a runner that ends or starts again needs no new cell.

Worst case: a look at a runner without a page waits for its answer, a second at most.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hftlib.core.control.asking import the_only_one
from hftlib.core.errors import HftError, InputError, StateError
from hftlib.core.units import is_whole, shown
from hftlib.lab.live import Live
from hftlib.lab.piece import PieceWidget
from hftlib.ops.page_reading import PageReader, page_path, stands
from hftlib.research.sheets import Sheet

PIECES = ("runner", "positions", "limits", "orders", "fills", "risk", "health", "latency")
SHOWN = ("runner", "positions", "limits", "risk", "latency")
ASK_S, LEVELS_MAX = 1.0, 10


def watch(socket: Path | str | None = None, *, pieces: Any = SHOWN) -> Live:
    """A runner's status, live in the notebook, until the cell runs again or is closed."""
    place, where = _place(socket, "hft.watch"), "hft.watch(pieces=...)"
    if not isinstance(pieces, tuple | list) or not {*pieces} <= {*PIECES} or not pieces:
        do = f"Give some of {', '.join(PIECES)}."
        raise InputError(f"{shown(pieces)} are no pieces of a runner", where=where, do=do)
    widget = PieceWidget(tuple(pieces), options={"runner": {"wide": True}})

    def look() -> dict[str, Any]:
        return dict.fromkeys(pieces, runner_told(place))

    return Live(widget, look, lambda made: status_page(next(iter(made.values()))), "watch")


def ladder(
    symbol: Any,
    socket: Path | str | None = None,
    *,
    venue: str | None = None,
    levels: int = LEVELS_MAX,
) -> Live:
    """A book as the runner sees it, live, with its own orders and what is ahead of them."""
    if not isinstance(symbol, str) or not symbol:
        do = "Write hft.ladder('AAA')."
        raise InputError(f"{shown(symbol)} is no symbol", where="hft.ladder(symbol)", do=do)
    if not is_whole(levels) or not 1 <= levels <= LEVELS_MAX:
        do = f"Give a whole number from 1 to {LEVELS_MAX}."
        raise InputError(f"{shown(levels)} levels are none", where="hft.ladder(levels=...)", do=do)
    place = _place(socket, "hft.ladder")
    widget = PieceWidget(("ladder",), options={"ladder": {"levels": int(levels)}})

    def look() -> dict[str, Any]:
        return {"ladder": _ladder_of(runner_told(place)["status"], symbol, venue)}

    return Live(widget, look, lambda made: ladder_page(made["ladder"]), f"ladder of {symbol}")


def runner_told(socket: Path | None) -> dict[str, Any]:
    """One runner as the desk's pieces take it."""
    place = the_only_one("runner", "hft live") if socket is None else socket
    by = "page"
    try:
        with PageReader(page_path(place)) as reader:
            status = reader.status()
    except HftError:
        status, by = stands(place, ASK_S), "socket"
    age = int(status.get("page", {}).get("age_ns", 0))
    return {"name": _name(status), "socket": str(place), "by": by, "age_ns": age, "status": status}


def status_page(told: dict[str, Any]) -> str:
    """The same as a page that stays: mode, positions, trading states."""
    status = told["status"]
    rows = [
        (one["symbol"], one["venue"], one["quantity"], one["bid"], one["ask"], one["profit"])
        for one in status["positions"]
    ]
    heads = ("symbol", "venue", "quantity", "bid", "ask", "profit")
    scopes = [(one["scope"], one["state"], one["why"]) for one in status["scopes"]]
    title = f"{told['name']}: {status['mode']}, {status['open_orders']:,} orders work"
    sheets = [Sheet(title, heads, rows), Sheet("Trading", ("scope", "state", "why"), scopes)]
    return "".join(sheet.html() for sheet in sheets)


def ladder_page(told: dict[str, Any]) -> str:
    """A ladder as a table that stays."""
    heads = ("ours", "quantity", "bid", "ask", "quantity", "ours")
    bids, asks = told["bids"], told["asks"]
    rows: list[tuple[Any, ...]] = []
    for n in range(max(len(bids), len(asks))):
        bid = bids[n] if n < len(bids) else {}
        ask = asks[n] if n < len(asks) else {}
        left = (bid.get("own") or None, bid.get("quantity"), _price(bid))
        rows.append((*left, _price(ask), ask.get("quantity"), ask.get("own") or None))
    return Sheet(f"{told['symbol']} {told['venue']}", heads, rows).html()


def _price(level: dict[str, Any]) -> str | None:
    """As it is written: a table's two digits would hide ticks."""
    return f"{level['price']:,.8g}" if level else None


def _ladder_of(status: dict[str, Any], symbol: str, venue: str | None) -> dict[str, Any]:
    ladders = status.get("ladders")
    if ladders is None:
        raise StateError(
            "The runner does not tell its ladders",
            where="hft.ladder",
            do="See that its page can be read: ladders are not told by its socket.",
        )
    found = [one for one in ladders if one["symbol"] == symbol and venue in (None, one["venue"])]
    if len(found) == 1:
        return dict(found[0])
    there = ", ".join(f"{one['symbol']}@{one['venue']}" for one in ladders) or "none"
    what = f"{len(found)} of {symbol} are there" if found else f"There is no {symbol} on its page"
    raise InputError(what, where="hft.ladder(symbol, venue=...)", do=f"It tells {there}.")


def _name(status: dict[str, Any]) -> str:
    names = [one["name"] for one in status.get("strategies", ())]
    return ", ".join(names) or "runner"


def _place(socket: Any, where: str) -> Path | None:
    if socket is None or isinstance(socket, str | Path):
        return Path(socket) if socket else None
    do = "Give the path of its control socket, or nothing where one runner runs."
    raise InputError(f"{shown(socket)} is no socket", where=f"{where}(socket)", do=do)
