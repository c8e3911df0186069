"""The report's section on money: curves, sums, where the P&L came from, what is held, limits.

Worst case: a picture for each currency, and as many rows as there are limits.
"""

from __future__ import annotations

from typing import Any

from hftlib.research.day import marks
from hftlib.research.day.accounts import summed
from hftlib.research.day.drawn import curve_picture, parts_picture
from hftlib.research.day.told_of import attribution, positions

_SUMS = ("fills", "turnover", "P&L before fees", "fees", "P&L after fees")


def money_part(report: Any) -> str:
    """All that is about money."""
    if not report.accounts:
        return "<p>Nothing was traded.</p>" + _limits(report)
    seams = [
        int(seam["time"])
        for one in report.sessions
        for seam in one.facts.seams
        if seam["kind"] != "OPENED" or one.before
    ]
    made = [curve_picture(one, seams, report.zone) for one in report.curves]
    made.append('<div class="two">')
    for title, by in (
        ("By strategy", ("strategy",)),
        ("By instrument", ("symbol", "venue")),
        ("By venue", ("venue",)),
    ):
        made.append(f"<div><h3>{title}</h3>{_sums(report, by)}</div>")
    made.append("</div><h3>Where it came from</h3>")
    made += [parts_picture(row) for row in attribution(report)]
    made.append(_attributed(report))
    made.append(f"<h3>Held at the end</h3>{_positions(report)}")
    return "".join([*made, _limits(report)])


def _sums(report: Any, by: tuple[str, ...]) -> str:
    rows = [
        (
            *(one[name] for name in by),
            one["currency"],
            one["fills"],
            f"{float(one['turnover']):,.0f}",
            marks.money(one["gross"]),
            f"{float(one['fees']):,.2f}",
            marks.money(one["net"]),
        )
        for one in summed(report.accounts, by)
    ]
    return marks.table((*by, "", *_SUMS), rows, "-" * (len(by) + 1) + "nnnnn")


def _attributed(report: Any) -> str:
    heads = ("", "spread captured", "adverse selection", "inventory", "not attributed",
             "held over seams", "P&L before fees", "fees", "P&L after fees")  # fmt: skip
    names = ("spread", "adverse", "inventory", "unattributed", "held_over_seams", "gross")
    rows = [
        (
            row["currency"],
            *(marks.money(row[name]) for name in names),
            f"{float(row['fees']):,.2f}",
            marks.money(row["net"]),
        )
        for row in attribution(report)
    ]
    horizons = {
        one.result.tca().horizon
        for one in report.sessions
        if one.result is not None and len(one.result.records["fills"])
    }
    note = f"Adverse selection is over {', '.join(sorted(horizons))} after each fill."
    quiet = f'<p class="quiet small">{marks.text(note)}</p>' if horizons else ""
    return marks.table(heads, rows, "-nnnnnnnn") + quiet


def _positions(report: Any) -> str:
    rows = [
        (row["strategy"], row["symbol"], row["venue"], row["position"], row["mark"],
         row["currency"])
        for row in positions(report)
    ]  # fmt: skip
    heads = ("strategy", "instrument", "venue", "position", "last middle", "")
    return marks.table(heads, rows, "---nn-") or "<p>Nothing.</p>"


def _limits(report: Any) -> str:
    made = []
    for name, each in report.limits.items():
        rows = [
            (one.scope, one.name.replace("_", " "), one.limit, one.used, marks.share(one.share),
             marks.bar(one.share), one.refused)
            for one in each
        ]  # fmt: skip
        heads = ("scope", "limit", "set to", "highest", "share", "", "refused by it")
        if rows:
            made.append(f"<h3>Against its limits, {marks.text(name)}</h3>")
            made.append(marks.table(heads, rows, "--nnn-n"))
    note = (
        "Highest is what was held, sent or lost; risk also counts what open orders could come to,"
        " so it may have seen more."
    )
    return "".join([*made, f'<p class="quiet small">{note}</p>' if made else ""])
