"""What `hft report day` prints: the day in a few lines, and where the rest of it is.

Worst case: a line for each session, currency and critical incident.
"""

from __future__ import annotations

from typing import Any

from hftlib.research.day import marks
from hftlib.research.day.told_of import refused, replay_told
from hftlib.research.sheets import Sheet


def spoken(report: Any) -> Any:
    """Sheets for a terminal."""
    from rich.console import Group
    from rich.text import Text

    sessions = Sheet(
        "Sessions",
        ("journal", "mode", "from", "to", "frames", "state", "replay"),
        [
            (one.name, one.mode, marks.moment(one.facts.begin, report.zone, -1),
             marks.moment(one.facts.end, report.zone, -1), one.verified.frames,
             one.verified.state, replay_told(one)["verdict"])
            for one in report.sessions
        ],
    )  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    for one in report.totals:
        net = "not known" if one["net"] is None else f"{float(one['net']):,.2f} {one['currency']}"
        rows.append(("P&L after fees", net))
    rows += [(f"drawdown, {one.currency}", f"{one.drawdown:,.2f}") for one in report.curves]
    rows += [
        ("orders, fills", f"{report.orders['orders']:,}, {report.orders['fills']:,}"),
        ("refused by risk", f"{sum(refused(report).values()):,}"),
        ("people's actions", f"{len(report.actions):,}"),
    ]
    worst = [row for row in report.incidents if row["severity"] != "info"]
    rows.append(("incidents", f"{len(worst):,}"))
    if report.digest:
        rows.append(("digest of its manifest", report.digest))
    parts = [sessions.rich(), Sheet("The day", ("", ""), rows).rich()]
    parts += [Text(str(row["what"])) for row in worst if row["severity"] == "critical"][:10]
    return Group(*parts)
