"""The page of a report: one element for a notebook, one file for the screen, the same for paper.

    element(report)      HTML to stand in another page
    whole(report)        a file of its own: no script, nothing to load, light and dark, prints well

What has to be seen first stands first: whether the journals hold, what did not balance, what was
critical. Worst case: some 200 kB, most of it tables.
"""

from __future__ import annotations

import html
from typing import Any

from hftlib.core.times import to_text
from hftlib.research.day import marks
from hftlib.research.day.money_part import money_part
from hftlib.research.day.sections import (
    actions_part,
    evidence_part,
    execution_part,
    incidents_part,
    parity_part,
    risk_part,
)
from hftlib.research.day.session import DaySession
from hftlib.research.day.style import ELEMENT, PAGE
from hftlib.research.day.told_of import before_of, ended_of, refused, replay_told, strategies_told

_PARTS = (
    ("what", "What ran"),
    ("money", "Profit and loss"),
    ("execution", "Execution"),
    ("risk", "Risk"),
    ("actions", "Who did what"),
    ("incidents", "Incidents"),
    ("parity", "Beside the backtest"),
    ("evidence", "Evidence"),
)


def element(report: Any) -> str:
    """The report as one element, with its own look."""
    made = {
        "what": _sessions(report),
        "money": money_part(report),
        "execution": execution_part(report),
        "risk": risk_part(report),
        "actions": actions_part(report),
        "incidents": incidents_part(report),
        "parity": parity_part(report),
        "evidence": evidence_part(report),
    }
    links = "".join(f'<a href="#{name}">{title}</a>' for name, title in _PARTS)
    parts = [
        f"<style>{ELEMENT}</style>",
        '<div class="hft-day">',
        f"<h1>{html.escape(title_of(report))}</h1>",
        f"<p>{_badges(report)}</p>",
        f"<nav>{links}</nav>",
        *_first(report),
        _tiles(report),
    ]
    for name, title in _PARTS:
        parts.append(f'<section id="{name}"><h2>{title}</h2>{made[name]}</section>')
    return "".join([*parts, "</div>"])


def whole(report: Any) -> str:
    """A file of its own."""
    title = html.escape(title_of(report))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{PAGE}</style></head><body>{element(report)}</body></html>\n"
    )


def title_of(report: Any) -> str:
    begins = [one.facts.begin for one in report.sessions if one.facts.begin]
    day = to_text(min(begins), zone=report.zone)[:10] if begins else "no day"
    return f"Report of {day}"


def _badges(report: Any) -> str:
    modes = sorted({one.mode for one in report.sessions if one.mode})
    made = []
    for mode in modes:
        kind = "bad" if mode in ("live", "canary") else "good"
        made.append(f'<span class="badge {kind}">{marks.text(mode)}</span>')
    names = ", ".join(marks.text(one.name) for one in report.sessions)
    clock = marks.text(report.zone)
    return f'{"".join(made)}<span class="quiet">{names}; times are {clock}</span>'


def _first(report: Any) -> list[str]:
    """What to know before anything is believed."""
    made = []
    for one in report.sessions:
        if one.verified.problems:
            lines = [*one.verified.problems, one.cut]
            made.append(marks.band(f"{one.name} is damaged.", [line for line in lines if line]))
        if one.replayed is not None and not one.replayed.is_identical:
            made.append(marks.band(f"{one.name} does not replay.", [one.replayed.difference]))
        if one.why_none:
            made.append(marks.band(f"{one.name} has no figures.", [one.why_none]))
        elif one.result is not None and not one.facts.carried and (wrong := one.result.check()):
            made.append(marks.band(f"{one.name}: the books do not balance.", wrong))
    critical = [row for row in report.incidents if row["severity"] == "critical"]
    if critical:
        lines = [str(row["what"]) for row in critical[:6]]
        more = len(critical) - len(lines)
        lines += [f"and {more:,} more"] if more else []
        made.append(marks.band("Critical.", lines))
    if all(not one.facts.rows for one in report.sessions):
        made.append(marks.band("Nothing was sent.", ["No order left any of the runners."], True))
    return made


def _tiles(report: Any) -> str:
    made = []
    for one in report.totals:
        made.append(
            marks.tile(f"P&L after fees, {one['currency']}", marks.money(one["net"]))
            + marks.tile(f"fees, {one['currency']}", f"{float(one['fees']):,.2f}")
        )
    for curve in report.curves:
        made.append(marks.tile(f"drawdown, {curve.currency}", f"{curve.drawdown:,.2f}"))
    orders = report.orders
    made.append(marks.tile("orders", orders["orders"]) + marks.tile("fills", orders["fills"]))
    made.append(marks.tile("messages per fill", orders["order_to_trade"]))
    made.append(marks.tile("refused by risk", sum(refused(report).values())))
    shares = [one.share for each in report.limits.values() for one in each if one.share is not None]
    if shares:
        worst = max(shares)
        kind = "bad" if worst >= 1 else "warn" if worst >= 0.8 else ""
        made.append(marks.tile("nearest to a limit", marks.share(worst, 0), kind))
    serious = sum(row["severity"] != "info" for row in report.incidents)
    made.append(marks.tile("incidents", serious, "warn" if serious else "good"))
    return f'<div class="tiles">{"".join(made)}</div>'


def _sessions(report: Any) -> str:
    made = []
    for one in report.sessions:
        made.append(f"<h3>{marks.text(one.name)}</h3>{marks.table(('', ''), _facts(one))}")
    if len(report.sessions) > 1:
        rows = [
            (one.name, marks.moment(one.facts.begin, report.zone),
             marks.moment(one.facts.end, report.zone), before_of(one), ended_of(one))
            for one in report.sessions
        ]  # fmt: skip
        heads = ("journal", "from", "to", "took over from", "ended")
        made.insert(0, f"<h3>One after the other</h3>{marks.table(heads, rows, '-tt')}")
    return "".join(made)


def _facts(one: DaySession) -> list[tuple[str, Any]]:
    about, verified = one.about, one.verified
    links = about.get("links", ())
    rows: list[tuple[str, Any]] = [
        ("mode", _mode(one)),
        ("release", _release(about.get("release"))),
        ("strategies", marks.Raw("<br>".join(map(_strategy, strategies_told(one))))),
        ("venues", ", ".join(f"{link.get('user')} at {link.get('venue')}" for link in links)),
        ("session", _span(one)),
        ("hours", _hours(about.get("hours"), one.zone)),
        ("hftlib", about.get("hftlib")),
        ("durability", _durability(one.facts.durability)),
        ("journal", f"{verified.state}: {verified.frames:,} frames, {verified.sealed:,} sealed"),
        ("chain head", marks.Raw(f"<code>{marks.text(verified.head)}</code>")),
        ("replay", _replay(one)),
        ("ended", ended_of(one)),
    ]
    return rows


def _mode(one: DaySession) -> str:
    share = one.about.get("share")
    words = {
        "shadow": "shadow: nothing was sent, a model of the venue answered",
        "paper": "paper: the exchange is a simulator",
        "wire": "wire: a backtest as bytes, on a tape's time",
        "canary": f"canary, a share of {share}" if share else "canary",
    }
    return words.get(one.mode, one.mode)


def _release(release: Any) -> Any:
    if not isinstance(release, dict):
        return "none: strategies from files"
    named = f"{release.get('name')}-{release.get('serial')}, signed by {release.get('key')}"
    more = ", ".join(
        f"{name} {value}"
        for name, value in release.items()
        if name not in ("name", "serial", "key", "digest")
    )
    digest = f"<br><code>{marks.text(release.get('digest'))}</code>"
    return marks.Raw(marks.text(f"{named}; {more}" if more else named) + digest)


def _strategy(told: dict[str, Any]) -> str:
    given = told.get("parameters") or {}
    values = ", ".join(f"{name} = {value}" for name, value in given.items())
    digest = told.get("digest")
    code = f" <code>{marks.text(str(digest)[:16])}</code>" if digest else ""
    return f"<b>{marks.text(told['name'])}</b> {marks.text(values)}{code}"


def _span(one: DaySession) -> str:
    if not one.facts.begin:
        return "no frame"
    begin, end = (to_text(ns, zone=one.zone)[:23] for ns in (one.facts.begin, one.facts.end))
    processes = 1 + sum(seam["kind"] == "CARRIED_ON" for seam in one.facts.seams)
    more = f", in {processes} processes, one after the other" if processes > 1 else ""
    return f"{begin.replace('T', ' ')} to {end.partition('T')[2]}{more}"


def _hours(hours: Any, zone: str) -> str:
    if not isinstance(hours, dict):
        return "none: it ran as long as it was let"
    told = []
    for name, value in hours.items():
        is_time = isinstance(value, int) and value > 10**15
        told.append(f"{name} {marks.moment(value, zone, 0) if is_time else value}")
    return ", ".join(told)


def _durability(word: str) -> str:
    words = {
        "process": "process: survives a kill of the process",
        "power": "power: an order left once its cause was on the disk",
        "replicated": "replicated: an order left once a standby had its cause",
    }
    return words.get(word, word or "-")


def _replay(one: DaySession) -> Any:
    told = replay_told(one)
    if told["verdict"] == "not asked":
        known = told.get("commands")
        held = (
            f"; for the figures the engine took the journal in again, and each of {known:,}"
            " commands came out byte for byte"
        )
        return f"not asked (--replay){held if known is not None else ''}"
    if told["verdict"] == "identical":
        said = f"identical: {told['commands']:,} frames went out again, byte for byte"
        return marks.Raw(f'<span class="good">{marks.text(said)}</span>')
    return marks.Raw(f'<span class="bad">{marks.text("different: " + told["difference"])}</span>')
