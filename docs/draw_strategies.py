"""Fill the tables of `docs/strategies.md` from the code they speak of: `make docs`.

The page is written by hand; between `<!-- drawn: NAME -->` and `<!-- end -->` stands what NAME
draws: names with their meaning, reasons, mistakes made on purpose with the sentence they give, and
the figures of a result. A name or a figure that is not explained stops the drawing.
"""

from __future__ import annotations

import ast
import inspect
import re
import runpy
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from figures_said import SAID
from ledger_said import LEDGER_SAID
from mistakes import MISTAKES
from parents_said import PARENTS_SAID, algorithms, settings
from units_said import UNITS

from hftlib.core import orders
from hftlib.core.errors import HftError
from hftlib.core.records import RECORDS
from hftlib.core.times import duration_text
from hftlib.engine.log import HORIZONS_NS
from hftlib.research.ledger_tables import COLUMNS
from hftlib.research.result_figures import figures_at
from hftlib.research.result_measures import horizon_names
from hftlib.research.tca_figures import ATTRIBUTION, Said, quality_figures
from hftlib.strategy import indicators, library
from hftlib.strategy.checking import _INNER, SHAPES
from hftlib.strategy.reading import TAKES

TARGET = Path(__file__).with_name("strategies.md")
_SECTION = re.compile(r"(<!-- drawn: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_RECORD = {"ctx": "context", "book": "market", "holding": "position"}
# Fields by which the engine finds its way, and those whose names say nothing to a strategy.
_OURS = {"abi", "order_mask", "handles", "context_at", "first_open", "role", "next", "before"} | {
    *("taken_off", "answered", "stated", "kept"),
}
_OURS |= {"seed", "moved", "refusals", "retry", "older", "worked", "tries", "volume_from"}
# What the drawing of a record leaves to its name.
_SAID = {
    "buy": "`submit` of a buy",
    "sell": "`submit` of a sell",
    "cancel": "cancel an order: 0, or minus the reason why not",
    "is_buy": "whether it buys",
    "instrument": "its number",
    "side": "`hft.BUY` 1 or `hft.SELL` 2",
    "kind": "`hft.LIMIT`, `hft.MARKET`, `hft.STOP`, `hft.STOP_LIMIT`",
    "lasts": "`hft.DAY`, `hft.IOC`, `hft.FOK`",
    "filled": "how much of it is filled",
    "display": "how much of it shows; 0: all",
    "trigger": "the price that wakes a stop",
    "flags": "1: post-only",
    "strategy": "the strategy's number",
    "quantity": "how much",
    "price": "at which price",
    "match": "the venue's number of the trade",
    "sequence": "the feed's number of the message",
    "fills": "how many there were",
    "open_orders": "how many orders are open",
    "bought": "quantity bought so far",
    "sold": "quantity sold so far",
    "last_quantity": "quantity of the last trade",
    "bid_orders": "orders at the best bid, where the feed names orders",
    "ask_orders": "orders at the best ask, where the feed names orders",
}
# Where a drawing speaks to the engine, or of two fields at once.
_PLAINER = {
    ("ctx", "instruments"): "how many instruments there are",
    ("ctx", "stopped"): "not 0 once the strategy asked to stop",
    ("ctx", "feed_latency"): "how late the last market event was",
    ("ctx", "order"): "one of its orders, by the number that `buy` and its kin answered",
    ("ctx", "submit"): "send an order: its number, or minus the reason why not",
    ("book", "bid"): "best price of buyers; with an empty side a number below all prices",
    ("book", "ask"): "best price of sellers; likewise",
    ("book", "bid_quantity"): "what stands at the best bid",
    ("book", "ask_quantity"): "what stands at the best ask",
    ("book", "volume"): "traded so far",
    ("book", "time"): "the venue's, of the last event that concerned it",
    ("book", "lot"): "what trades as a round number",
    ("holding", "quantity"): "held now; below zero: sold short",
    ("holding", "open_buy"): "open to be bought, as far as not filled",
    ("holding", "open_sell"): "open to be sold, as far as not filled",
    ("holding", "quote_bid"): "the order of the quote's bid; 0 none",
    ("holding", "quote_ask"): "the order of the quote's ask; 0 none",
    ("holding", "want_bid"): "price the quote's bid shall have",
    ("holding", "want_ask"): "price the quote's ask shall have",
    ("holding", "want_bid_quantity"): "quantity the quote's bid shall have",
    ("holding", "want_ask_quantity"): "quantity the quote's ask shall have",
    ("order", "id"): "its number, counted up from 1",
    ("order", "wanted_price"): "price of the replace that is under way",
    ("order", "wanted_quantity"): "quantity of the replace that is under way",
    ("order", "state"): "a number of `docs/orders.md`; ask `.is_open`, `.is_settled`, `.is_over`",
    ("order", "pending"): "1: a cancel is not answered, 2: a replace, 4: the order itself",
    ("fill", "quantity"): "how much; below zero: a trade that was counted before is broken",
    **PARENTS_SAID,
    ("fill", "twice_mid"): "best bid plus best ask at the venue just before",
}
_HEAD = "| Name | Meaning | Unit |\n|---|---|---|\n"


def drawn() -> str:
    """The page as it should be."""
    text = TARGET.read_text()
    return _SECTION.sub(lambda found: found[1] + _DRAWS[found[2]]() + found[3], text)


def _shape(name: str) -> str:
    """What can be read of a shape, then what can be asked of it."""
    shape = SHAPES[name]
    notes = _notes(_RECORD.get(name, name))
    rows = []
    for field in shape.dtype.names or ():
        if field not in _INNER | _OURS and not field.endswith("_at"):
            rows.append((f"`.{field}`", _meaning(field, name, notes), UNITS.get(field, "")))
    for field, function in shape.functions.items():
        if field.startswith("_"):
            continue
        call = "" if field in shape.derived_names else _signature(function)
        unit = UNITS.get(field, "")
        rows.append((f"`.{field}{call}`", _meaning(field, name, {field: function.__doc__}), unit))
    return _HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _meaning(field: str, shape: str, notes: dict[str, Any]) -> str:
    said = _PLAINER.get((shape, field)) or notes.get(field) or _SAID.get(field)
    if not said:
        raise SystemExit(f"docs/draw_strategies.py: say what .{field} of {shape} means")
    said = said.strip().partition("\n")[0].rstrip(".").replace("|", "or")
    return said if said[:2].isupper() else said[0].lower() + said[1:]


def _notes(record: str) -> dict[str, str]:
    """What the drawing of a record says of each field."""
    rows = (line.split(None, 3) for line in RECORDS[record].text.splitlines())
    return {row[1]: row[3] for row in rows if len(row) == 4}


def _signature(function: Any) -> str:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    names = [
        p.name if p.default is p.empty else f"{p.name}={_DEFAULTS.get(p.name, p.default)}"
        for p in parameters
    ]
    return f"({', '.join(names)})"


_DEFAULTS = {"kind": "LIMIT", "lasts": "DAY", "limit": "none", "algo": "TWAP", "how": "SWEEP"}
_DEFAULTS["peg"] = "PRIMARY"


def _callbacks() -> str:
    rows = [
        f"| `{name}(self, {', '.join(took)})` | {_WHEN[name]} |" for name, took in TAKES.items()
    ]
    return "| Callback | When |\n|---|---|\n" + "\n".join(rows) + "\n"


_WHEN = {
    "on_start": "once, before the first event",
    "on_book": "the book of instrument `i` changed (after the whole message, where the feed says "
    "where one ends)",
    "on_trade": "a trade printed in `i`; before its `on_book`",
    "on_order": "an order of ours changed: accepted, replaced, ended, refused",
    "on_fill": "an order of ours traded; after its `on_order`",
    "on_timer": "a timer of `ctx.timer(delay_ns, number)` is due",
    "on_halt": "trading in `i` stopped",
    "on_stop": "once, when the tape is over or the strategy asked to stop",
}


def _reasons(low: int, high: int) -> Callable[[], str]:
    def draw() -> str:
        numbered = list(enumerate(orders.REASONS))[low : high + 1]
        rows = [f"| {number} | {text} |" for number, text in numbered if text]
        return "| Number | Reason |\n|---|---|\n" + "\n".join(rows) + "\n"

    return draw


def _mistakes() -> str:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (what, text) in enumerate(MISTAKES.items()):
            file = Path(folder) / f"idea_{number}.py"
            file.write_text(text)
            said = _said_by(file).replace(file.name, "idea.py").replace("|", "or")
            rows.append(f"| {what} | {said} |")
    return "| Mistake | What it says |\n|---|---|\n" + "\n".join(rows) + "\n"


def _said_by(file: Path) -> str:
    try:
        made = runpy.run_path(str(file))
        made["Idea"](**made.get("PARAMETERS", {})).entry()
    except HftError as error:
        return str(error)
    raise SystemExit(f"docs/mistakes.py: {file.read_text()} gives no sentence")


def _figures() -> str:
    names = horizon_names(HORIZONS_NS)
    rows = []
    for figure in figures_at(names):
        general = figure.name
        for name in names:
            general = general.replace(f"_{name}", "_H")
        if general.removesuffix("_ticks").removesuffix("_bp") != general and general in (
            *(f"{one}{end}" for one in SAID for end in ("_ticks", "_bp")),
        ):
            continue  # the same in other units
        if general not in SAID:
            raise SystemExit(f"docs/figures_said.py: say how {general} is computed")
        row = f"| `{general}` | {SAID[general]} | {figure.unit} |"
        if row not in rows:
            rows.append(row)
    return "| Figure | How it is computed | Unit |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def _costs(figures: list[Said]) -> Callable[[], str]:
    def draw() -> str:
        rows = [f"| `{one.name}` | {one.said} | {one.unit} |" for one in figures]
        return "| Figure | How it is computed | Unit |\n|---|---|---|\n" + "\n".join(rows) + "\n"

    return draw


def _ledger() -> str:
    if set(COLUMNS) != set(LEDGER_SAID):
        raise SystemExit("docs/ledger_said.py: say what each column of a ledger is, and no other")
    rows = [f"| `{name}` | {LEDGER_SAID[name]} |" for name in COLUMNS]
    return "| Column | What it is |\n|---|---|\n" + "\n".join(rows) + "\n"


def _indicators() -> str:
    rows = []
    for name in indicators.__all__:
        plan = getattr(indicators, name)._plan
        params = [f"{key}={_setting(item.declared)}" for key, item in plan.params.items()]
        settings = f"`{', '.join(params)}`" if params else ""
        calls = ", ".join(f"`.{call}{_takes(method)}`" for call, method in plan.methods.items())
        rows.append(f"| `hft.{name}` | {_first(plan.doc)} | {settings} | {calls} |")
    return (
        "| Block | What it is | Settings | Methods |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def _setting(declared: Any) -> str:
    """A default as one would write it."""
    if declared.duration and declared.default:
        return repr(duration_text(declared.default).replace(" ", ""))
    return repr(declared.default)


def _takes(method: ast.FunctionDef) -> str:
    return f"({', '.join(argument.arg for argument in method.args.args[1:])})"


def _library() -> str:
    rows = [f"| `{name}` | {_first(getattr(library, name).__doc__)} |" for name in library.__all__]
    return "| Strategy | What it does |\n|---|---|\n" + "\n".join(rows) + "\n"


def _first(text: str) -> str:
    """The first paragraph, in one line."""
    return " ".join(inspect.cleandoc(text).partition("\n\n")[0].split()).replace("|", "or")


_DRAWS: dict[str, Callable[[], str]] = {
    "indicators": _indicators,
    "library": _library,
    **{name: lambda name=name: _shape(name) for name in SHAPES},
    "callbacks": _callbacks,
    "algorithms": algorithms,
    "settings": lambda: settings(_notes("draft"), _DEFAULTS),
    "reasons_ours": _reasons(1, orders.OURS),
    "reasons_venue": _reasons(orders.OURS + 1, len(orders.REASONS)),
    "mistakes": _mistakes,
    "figures": _figures,
    "ledger": _ledger,
    "costs": _costs(quality_figures(["H"])),
    "attribution": _costs(list(ATTRIBUTION)),
}


if __name__ == "__main__":
    TARGET.write_text(drawn())
    print(f"{TARGET.name} is drawn")
