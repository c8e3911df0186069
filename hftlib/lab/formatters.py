"""Pages for what has none of its own: objects of the rooms that a live process loads.

A notebook shows a page where one is printed, and those rooms know nothing of notebooks: their
objects are told here, by the name of their class, so that no room is imported for it. What is a
plain record is shown field by field; what says more of itself than its fields has a function.

Worst case: ROWS_MAX rows of a table, and how many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from hftlib.research.sheets import Sheet

ROWS_MAX, TEXT_MAX = 50, 300


def register(shell: Any) -> None:
    """Tell IPython of all of them."""
    made = shell.display_formatter.formatters["text/html"]
    for (module, name), page in PAGES.items():
        made.for_type_by_name(f"hftlib.{module}", name, page)
    made.for_type_by_name("builtins", "type", _block)


def unregister(shell: Any) -> None:
    """And that they are gone again."""
    made = shell.display_formatter.formatters["text/html"]
    for module, name in PAGES:
        made.pop(f"hftlib.{module}.{name}", None)
    made.pop("builtins.type", None)


def page_of(sheet: Sheet) -> str:
    return f'<div class="hft-page" style="font:13px system-ui,sans-serif">{sheet.html()}</div>'


def _as_fields(one: Any) -> str:
    """A record, field by field."""
    assert is_dataclass(one)
    rows = [(each.name.replace("_", " "), _told(getattr(one, each.name))) for each in fields(one)]
    return page_of(Sheet(type(one).__name__, ("", ""), [row for row in rows if row[1] != ""]))


def _as_text(one: Any) -> str:
    """Something that says all of itself in a line."""
    return page_of(Sheet(type(one).__name__, ("",), [(str(one),)]))


def _told(value: Any) -> Any:
    if is_dataclass(value) or isinstance(value, Mapping):
        value = ", ".join(f"{name}: {_told(one)}" for name, one in _pairs(value))
    if isinstance(value, list | tuple):
        value = "; ".join(str(_told(one)) for one in value)
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]} …"


def _pairs(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(str(name), one) for name, one in value.items()]
    return [(each.name, getattr(value, each.name)) for each in fields(value)]


def _limits(one: Any) -> str:
    from hftlib.risk.explaining import explained

    rows = [(each.scope, each.limit, each.value, each.says) for each in explained(one)]
    return page_of(Sheet("Limits", ("of", "limit", "value", "what it says"), rows))


def _fees(one: Any) -> str:
    names = ("maker", "taker", "maker_per_unit", "taker_per_unit", "minimum")
    rows = [(name.replace("_", " "), str(getattr(one, name))) for name in names]
    return page_of(Sheet(f"Fees: {one.text}", ("", ""), rows))


def _latency(one: Any) -> str:
    rows = [(each.name, str(getattr(one, each.name))) for each in fields(one)]
    return page_of(Sheet("Latency of orders", ("leg", "delay"), rows))


def _instruments(one: Any) -> str:
    heads = ("symbol", "venue", "currency", "calendar", "tick", "round lot", "price unit", "kind")
    rows = []
    for row in range(min(len(one), ROWS_MAX)):
        each = one[row]
        facts = (each.symbol, each.venue, each.currency, each.calendar)
        rows.append((*facts, each.tick, each.round_lot, str(each.price_unit), each.kind))
    more = f", the first {ROWS_MAX}" if len(one) > ROWS_MAX else ""
    return page_of(Sheet(f"{len(one):,} instruments{more}", heads, rows))


def _books(one: Any) -> str:
    rows = []
    for row in range(min(len(one.instruments), ROWS_MAX)):
        each = one.instruments[row]
        book = one.of(each.symbol, each.venue)
        bid, ask = book.best_bid, book.best_ask
        sides = (bid and bid.quantity, bid and bid.price, ask and ask.price, ask and ask.quantity)
        rows.append((each.symbol, each.venue, *sides, book.stale))
    heads = ("symbol", "venue", "bid size", "bid", "ask", "ask size", "stale")
    return page_of(Sheet(repr(one).strip("<>"), heads, rows))


def _layout(one: Any) -> str:
    return str(one.html("Layout"))


def _curve(one: Any) -> str:
    from hftlib.core.times import duration_text

    points = one.points.tolist()
    shares = [b - a for a, b in zip([0, *points], points, strict=False)]
    most, count = max(shares), len(shares)
    bars = "".join(
        f'<rect x="{300 * n / count:.2f}" y="{40 - 40 * share / most:.2f}"'
        f' width="{300 / count:.2f}" height="{40 * share / most:.2f}"/>'
        for n, share in enumerate(shares)
    )
    words = f"{count:,} steps of {duration_text(one.step_ns)}, {one.zone}, of {one.days:,} days"
    svg = f'<svg viewBox="0 0 300 40" width="300" height="40" fill="rgb(70,130,200)">{bars}</svg>'
    return page_of(Sheet("VolumeCurve", ("",), [(words,)])) + svg


def _strategy(one: Any) -> str:
    from hftlib.strategy.showing import strategy_html

    plan = one.__dict__.get("_plan")
    if plan is None:
        return ""
    return strategy_html(plan, {name: one.declared.default for name, one in plan.params.items()})


def _block(one: Any) -> str | None:
    """A class that is a field of strategies, such as hft.EMA; of any other class nothing."""
    plan = one.__dict__.get("_plan")
    if plan is None:
        return None
    kinds = {name: getattr(item.kind, "__name__", "") for name, item in plan.fields.items()}
    doc = (plan.doc or "").strip().partition("\n")[0]
    return page_of(Sheet(f"{plan.name}: {doc}", ("field", "type"), [*kinds.items()]))


def _release(one: Any) -> str:
    told = one.manifest
    rows = [
        ("strategy", f"{told.module}.{told.strategy}"),
        ("parameters", _told(told.parameters)),
        ("made", told.made),
        ("signed by", str(one.key.name)),
        ("digest", one.digest),
        ("files", len(one.files)),
        ("in", str(one.folder)),
    ]
    return page_of(Sheet(f"Release {one.name}", ("", ""), rows))


def _rollout(one: Any) -> str:
    rows = [(stage, f"serial {step.serial}", step.why) for stage, step in one.held.items()]
    if one.asked is not None:
        rows.append(("asked", f"serial {one.asked.serial}", one.asked.why))
    title = f"Rollout of {one.name}: {len(one.steps):,} steps"
    return page_of(Sheet(title, ("stage", "release", "why"), rows))


def _journal(one: Any) -> str:
    rows = [("folder", str(one.folder)), ("frames", one.sequence), ("durable", one.durable)]
    rows += [("state", one.why or "well")]
    return page_of(Sheet("Journal", ("", ""), rows))


def _ring(one: Any) -> str:
    rows = [("items", len(one)), ("capacity", one.capacity), ("refused", one.refused)]
    return page_of(Sheet("Ring", ("", ""), rows))


def _cell(one: Any) -> str:
    value = one.read()
    rows = [(name, _told(value[name].item())) for name in value.dtype.names or ()]
    return page_of(Sheet("Cell", ("", ""), rows))


PAGES: dict[tuple[str, str], Callable[[Any], str]] = {
    ("book.amounts", "Amounts"): _as_text,
    ("book.book", "Level"): _as_text,
    ("book.book", "Queue"): _as_text,
    ("book.books", "Books"): _books,
    ("book.capacity", "Capacity"): _as_fields,
    ("core.comparison", "Difference"): _as_fields,
    ("core.fees", "Fees"): _fees,
    ("core.instruments", "Instrument"): _as_fields,
    ("core.instruments", "Instruments"): _instruments,
    ("core.journal.showing", "Summary"): _as_fields,
    ("core.journal.verifying", "Report"): _as_fields,
    ("core.journal.writing", "Journal"): _journal,
    ("core.layout", "Layout"): _layout,
    ("core.release.manifest", "Manifest"): _as_fields,
    ("core.release.reading", "Release"): _release,
    ("core.release.rollout", "Rollout"): _rollout,
    ("core.release.rollout_step", "Step"): _as_fields,
    ("core.ring", "Ring"): _ring,
    ("core.seqlock", "Cell"): _cell,
    ("core.units", "Unit"): _as_text,
    ("execution.curves", "VolumeCurve"): _curve,
    ("feed.synthetic.market", "SyntheticMarket"): _as_text,
    ("feed.tape_file", "TapeSummary"): _as_fields,
    ("risk.limits", "Limits"): _limits,
    ("risk.people", "Directive"): _as_fields,
    ("risk.portfolio", "PortfolioRisk"): _as_fields,
    ("strategy.classes", "_Kind"): _strategy,
    ("strategy.fields", "Param"): _as_fields,
    ("strategy.fields", "State"): _as_fields,
    ("venue.delays", "Delay"): _as_text,
    ("venue.delays", "Latency"): _latency,
    ("venue.impact", "Impact"): _as_fields,
}
