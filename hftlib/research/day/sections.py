"""The report's sections on orders, risk, people, incidents, parity and evidence.

Worst case: each table shows what `marks.ROWS_MAX` allows, and the exports have the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hftlib.research.day import marks
from hftlib.research.day.drawn import state_picture
from hftlib.research.day.incidents import feed_of
from hftlib.research.day.schema import TABLES
from hftlib.research.day.told_of import refused

GROUPS_SHOWN = 6
_COUNTED = {
    "orders": "orders sent",
    "changes": "changes asked for",
    "cancels": "cancels asked for",
    "accepted": "taken by the venue",
    "rejected": "rejected by the venue",
    "canceled": "canceled",
    "expired": "expired",
    "cancels_refused": "cancels that came too late",
    "fills": "fills",
    "messages": "messages sent",
    "order_to_trade": "messages per fill",
    "reject_rate": "rejected, of orders and changes",
    "cancel_rate": "canceled, of those taken",
    "fill_share": "filled whole, of those sent",
}
_SHARES = ("reject_rate", "cancel_rate", "fill_share")


def execution_part(report: Any) -> str:
    """Counts and rates, latencies, execution quality."""
    rows = [
        (said, marks.share(report.orders[name]) if name in _SHARES else report.orders[name])
        for name, said in _COUNTED.items()
    ]
    made = ['<div class="two"><div><h3>Orders</h3>', marks.table(("", ""), rows, "-n"), "</div>"]
    waits = [
        (row["journal"], row["stage"], row["count"], marks.span(row["p50"]),
         marks.span(row["p99"]), marks.span(row["max"]))
        for row in report.latencies
    ]  # fmt: skip
    heads = ("journal", "stage", "times", "half", "99 %", "longest")
    told = marks.table(heads, waits, "--nnnn") or "<p>None were measured.</p>"
    made.append(f"<div><h3>How long it took</h3>{told}</div></div>")
    for one in report.sessions:
        if one.result is not None and len(one.result.records["orders"]):
            sheet = one.result.tca().table(("instrument",)).sheet(GROUPS_SHOWN)
            title = f"Execution quality, {one.name}"
            kinds = "-" + "n" * (len(sheet.heads) - 1)
            rows = [(_indented(name), *cells) for name, *cells in sheet.rows]
            made.append(f"<h3>{marks.text(title)}</h3>{marks.table(sheet.heads, rows, kinds)}")
    return "".join(made)


def _indented(name: str) -> str:
    """What is a part of the figure above it stands a little further in."""
    if not name.startswith("  "):
        return name
    return marks.Raw(f'<span style="padding-left:1.2em">{marks.text(name)}</span>')


def risk_part(report: Any) -> str:
    """States over the day, what changed, what was refused."""
    made = []
    for one in report.sessions:
        drawn = state_picture(one, report.zone)
        if drawn:
            made.append(f"<h3>Who might trade, {marks.text(one.name)}</h3>{drawn}")
        made.append(_changes(one, report.zone))
    made.append(_refused(report))
    return "".join(made) or "<p>No state changed, and nothing was refused.</p>"


def _changes(session: Any, zone: str) -> str:
    if session.result is None or not len(session.result.risk_log):
        return ""
    rows = []
    times = session.result.records["changes"]["time"].tolist()
    for ns, row in zip(times, session.result.risk_log.to_dict("records"), strict=True):
        limits = f"{row['seen']} beyond {row['limit']} {row['unit']}" if row["limit"] else ""
        whose = row["who"] + (f" and {row['second']}" if row["second"] else "")
        rows.append(
            (marks.moment(ns, zone), row["what"], row["scope"], row["before"], row["after"],
             row["reason"], limits, whose, row["why"])
        )  # fmt: skip
    heads = ("time", "what", "scope", "before", "after", "reason", "seen", "who", "why")
    title = f"What changed, {session.name}"
    return f"<h3>{marks.text(title)}</h3>{marks.table(heads, rows, 't')}"


def _refused(report: Any) -> str:
    counts = refused(report)
    if not counts:
        return ""
    examples: dict[str, Mapping[str, Any]] = {}
    for row in report.tables["refusals"]:
        examples.setdefault(row["reason"], row)
    rows = [
        (reason, count, _example(examples.get(reason), report.zone))
        for reason, count in counts.most_common()
    ]
    heads = ("why an order never left us", "times", "the first of them")
    return f"<h3>Refused by risk</h3>{marks.table(heads, rows, '-n-')}"


def _example(row: Mapping[str, Any] | None, zone: str) -> str:
    if row is None:
        return ""
    asked = f"{row['side']} {marks.said_of(row['quantity'])} {row['symbol']}"
    if row["price"] is not None:
        asked += f" at {marks.said_of(row['price'])}"
    at = marks.moment(row["time_ns"], zone)
    seen = ""
    if row["limit"] is not None and row["unit"]:
        seen = f": {marks.said_of(row['seen'])} beyond {marks.said_of(row['limit'])} {row['unit']}"
    return f"{at} {row['strategy']} {asked}{seen}"


def actions_part(report: Any) -> str:
    """What people did."""
    rows = [
        (marks.moment(row["time_ns"], report.zone), row["who"], row["role"], row["second"],
         row["did"], row["what"], row["why"], row["outcome"], row["source"])
        for row in report.actions
    ]  # fmt: skip
    heads = ("time", "who", "role", "with", "did", "what", "why", "outcome", "by")
    return marks.table(heads, rows, "t") or "<p>Nobody intervened.</p>"


def incidents_part(report: Any) -> str:
    """What went wrong, and the feeds."""
    rows = [
        (marks.moment(row["time_ns"], report.zone), _severity(row["severity"]), row["kind"],
         row["what"], row["source"])
        for row in report.incidents
    ]  # fmt: skip
    heads = ("time", "", "kind", "what", "by")
    made = marks.table(heads, rows, "t") or "<p>None.</p>"
    feeds = []
    for one in report.sessions:
        told = feed_of(one)
        feeds.append((one.name, *(told.get(name) for name in _FEED)))
    return f"{made}<h3>Feeds</h3>{marks.table(('journal', *_FEED), feeds, '-nnnn')}"


_FEED = ("datagrams", "events", "requests", "gaps")


def _severity(word: str) -> marks.Raw:
    kind = {"critical": "bad", "warning": "warn"}.get(word, "quiet")
    return marks.Raw(f'<span class="{kind}">{marks.text(word)}</span>')


def parity_part(report: Any) -> str:
    """Each session beside its backtest."""
    made = []
    for name, one in report.parities.items():
        made.append(f"<h3>{marks.text(name)}</h3>")
        if not hasattr(one, "verdict"):
            made.append(f"<p>Not told: {marks.text(one)}.</p>")
            continue
        verdict = one.verdict()
        said = f"{verdict.name}: {verdict.word}. {verdict.sentence}"
        made.append(f"<p>{marks.text(said)}</p>{one._bars()}")
        for sheet in one.sheets():
            kinds = "-" + "n" * (len(sheet.heads) - 1)
            made.append(f"<h3>{marks.text(sheet.title)}</h3>")
            made.append(marks.table(sheet.heads, sheet.rows, kinds))
    return "".join(made) or "<p>Not asked for.</p>"


def evidence_part(report: Any) -> str:
    """Clocks, what the exports hold, what is not known."""
    rows = [
        (row["journal"], marks.moment(row["time_ns"], report.zone), row["why"],
         *(marks.span(row[name]) if row[name] is not None else "not known" for name in _CLOCK),
         row["is_synchronised"])
        for row in report.tables["clocks"]
    ]  # fmt: skip
    heads = ("journal", "time", "why", "UTC less its time", "bound of the error", "together",
             "synchronised")  # fmt: skip
    made = ["<h3>Its clock beside UTC</h3>", marks.table(heads, rows, "-t-nnn")]
    if not rows:
        made.append("<p>No look at the clock was journaled.</p>")
    counts = [(f"{name}.csv, {name}.parquet", len(report.tables[name]), len(TABLES[name]))
              for name in TABLES]  # fmt: skip
    made.append("<h3>Exports</h3>")
    made.append(marks.table(("file", "rows", "columns"), counts, "-nn"))
    if report.not_told:
        lines = "".join(f"<li>{marks.text(one)}</li>" for one in report.not_told)
        made.append(f"<h3>Not told</h3><ul>{lines}</ul>")
    return "".join(made)


_CLOCK = ("offset_ns", "error_ns_max", "divergence_ns_max")
