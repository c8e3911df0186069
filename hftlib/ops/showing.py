"""The status of a runner for people: one table that says what it is, what it holds, what is wrong.

Worst case: POSITIONS_MAX rows of positions; what is flat and has traded nothing is left out first.
"""

from __future__ import annotations

from typing import Any

from hftlib.core.times import duration_text, to_text

POSITIONS_MAX = 40
LAG_NS = 100_000_000  # a standby that is further behind is told of
READY = ("OPEN", "MODEL")  # links that orders may go by, and what stands for one in shadow


def status_table(told: dict[str, Any]) -> Any:
    """The answer of `hftlib.ops.status.status` as rich shows it."""
    from rich.console import Group
    from rich.text import Text

    counts = told["counts"]
    state = "running" if told["is_running"] else f"stopped: {told['why'] or 'told to'}"
    title = (
        f"{told['mode_says']} · {state} · {counts['events']:,} events, "
        f"{counts['commands']:,} commands, {counts['reports']:,} reports, "
        f"{told['open_orders']:,} orders open, {counts['journaled']:,} frames"
    )
    lines = [Text(title, style="bold")]
    lines += [Text(one, style="red") for one in worries(told)]
    for one in (_clock(told["clock"]), _standby(told.get("standby"))):
        lines += [Text(one, style="dim")] * bool(one)
    return Group(*lines, *_latencies(told["latencies_ns"]), _positions(told["positions"]))


def _latencies(told: dict[str, dict[str, int]]) -> list[Any]:
    """Half, 99 of 100 and the longest of each stage that was measured; nothing where none was."""
    from rich.box import SIMPLE
    from rich.table import Table

    found = {name: one for name, one in told.items() if one["count"]}
    made = Table(box=SIMPLE, style="dim")
    made.add_column("stage")
    for name in found:
        made.add_column(name, justify="right")
    for shown, which in (("half within", "p50"), ("99 %", "p99"), ("longest", "max")):
        made.add_row(shown, *(duration_text(one[which]) for one in found.values()))
    return [made] * bool(found)


def _clock(told: dict[str, Any]) -> str:
    """How far the host's clock is from the runner's time, and how well it is kept."""
    if told["offset_us"] is None:
        return ""
    found = f"the host's clock is {told['offset_us']:+,.1f} µs from the runner's"
    if told["sync_error_us"] is None:
        return f"{found}; the kernel says nothing of it"
    kept = "synchronised" if told["is_synchronised"] else "not synchronised"
    return f"{found}, {kept}, wrong by at most {told['sync_error_us']:,.0f} µs"


def _standby(told: dict[str, Any] | None) -> str:
    """How far behind the standby is, where one follows."""
    if not told or told["state"] != "ships":
        return ""
    lag = f"{told['lag_frames']:,} frames and {told['lag_ns'] / 1e6:,.2f} ms behind"
    return f"the standby {told['address']} has {told['acknowledged']:,} frames, {lag}"


def _lacks(told: dict[str, Any] | None) -> list[str]:
    """What is wrong with the standby, where there is to be one."""
    if not told:
        return []
    found = []
    if told["state"] != "ships":
        why = f": {told['why']}" if told["why"] else ""
        found.append(f"the standby {told['address']} is {told['state']}{why}")
    elif told["lag_ns"] > LAG_NS:
        behind = f"{told['lag_frames']:,} frames, {told['lag_ns'] / 1e6:,.0f} ms"
        found.append(f"the standby {told['address']} is behind: {behind}")
    if told["durability"] != "replicated":
        found.append(f"durability is {told['durability']} until the standby has all again")
    return found


def worries(told: dict[str, Any]) -> list[str]:
    """All that is not as it should be, a line each."""
    clock, page = told["clock"], told.get("page")
    found = []
    if page is not None:
        age = f"{page['age_ns'] / 1e6:,.0f} ms old"
        found.append(f"it does not answer: this is what its page says, {age}")
    found += [
        f"the host's clock was set {clock['steps']:,} times, by {clock['step_us_max'] / 1e3:+,.1f}"
        " ms at most; the runner's time was not"
    ] * bool(clock["steps"])
    found += _lacks(told.get("standby"))
    found += _closed(told["hours"], told["time_ns"])
    found += [
        f"{one['scope']} is {one['state']}: {one['why']}"
        for one in told["scopes"]
        if one["state"] != "active"
    ]
    found += [f"{one['name']}: {one['stopped']}" for one in told["strategies"] if one["stopped"]]
    found += [
        f"{name} is {one['state']}: {one['why']}"
        for name, one in _named("feed", told)
        if one["state"] != "LIVE"
    ]
    found += [
        f"{name} is {one['state']}" + (f": {one['why']}" if one["why"] else "")
        for name, one in _named("link", told)
        if one["state"] not in READY
    ]
    return found


def _closed(hours: dict[str, Any] | None, now: int) -> list[str]:
    """What is held for the hours of its market: the runner, or some of its venues."""
    if not hours:
        return []
    made = []
    for who, one in hours.get("venues", {"it": hours}).items():
        if now < one["open_ns"]:
            at = to_text(one["open_ns"])[:16].replace("T", " ")
            made.append(f"{who} is held until {one['calendar']} opens: {at} UTC")
        elif who != "it" and now >= one["end_ns"]:
            made.append(f"{who} is held: {one['calendar']} is over for today")
    return made


def _named(what: str, told: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Each feed, or each link, by its number, and where there are several by its venue."""
    rows = told[f"{what}s"]
    several = len({one["venue"] for one in rows}) > 1
    return [
        (f"{what} {n + 1}" + (f" of {one['venue']}" if several else ""), one)
        for n, one in enumerate(rows)
    ]


def _positions(rows: list[dict[str, Any]]) -> Any:
    from rich.box import SIMPLE
    from rich.table import Table

    busy = [one for one in rows if one["quantity"] or one["fills"] or one["open_orders"]]
    chosen = (rows if len(rows) <= POSITIONS_MAX else busy)[:POSITIONS_MAX]
    made = Table(box=SIMPLE)
    texts = ["strategy", "symbol"]
    if len({one["venue"] for one in rows}) > 1:
        texts.append("venue")
    for name in (*texts, "position", "bid", "ask", "open", "fills", "profit"):
        made.add_column(name, justify="left" if name in texts else "right")
    for one in chosen:
        made.add_row(
            *(one[name] for name in texts),
            f"{one['quantity']:,g}",
            _number(one["bid"]),
            _number(one["ask"]),
            f"{one['open_orders']:,}",
            f"{one['fills']:,}",
            f"{_number(one['profit'])} {one['currency']}".strip(),
        )
    if len(chosen) < len(rows):
        made.caption = f"{len(rows) - len(chosen):,} more are not shown"
    return made


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}"
