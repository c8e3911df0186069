"""The columns of the exports: what each holds, and which rule asks for it.

    ORDERS      a row for each order message                            orders.csv, orders.parquet
    FILLS       a row for each execution, with fees and the market      fills
    REFUSALS    a row for each order that never left us                 refusals
    ACTIONS     who did what, why, and with whom                        actions
    INCIDENTS   what went wrong, or might have                          incidents
    CLOCKS      how far the clock was from UTC                          clocks
    EXECUTION   execution quality by venue, instrument and side         execution

`answers` are rules and fields as we know them: R24 and its field is (EU) 2017/580, R25 clocks, R6
is (EU) 2017/589, CAT the US audit trail, 605 and 606 Regulation NMS. The table: `docs/report.md`.
Worst case: none, this is a table; a rule that changes has to be looked up where it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its type is text, int, bool, number (exact decimals) or time (ns, UTC)."""

    name: str
    type: str
    says: str
    answers: str = ""


def _columns(*rows: tuple[str, ...]) -> tuple[Column, ...]:
    return tuple(Column(*row) for row in rows)


ORDERS = _columns(
    ("journal", "text", "the journal that holds the message", "evidence"),
    ("frame", "int", "number of the frame in it", "R24 15 sequence number"),
    ("part", "int", "place of the message in the frame", "R24 15"),
    ("event", "text", "what happened, in our words", "R24 21; R6 annex II"),
    ("rts24_event", "text", "the same in the codes of RTS 24; empty: a request of ours", "R24 21"),
    ("cat_event", "text", "events of the US audit trail that it belongs to", "CAT event type"),
    ("direction", "text", "out: we sent it; in: the venue answered"),
    ("time", "time", "our time of it: to the journal, before it left; as it reached us", "R24 9"),
    ("time_ns", "int", "the same, ns since 1970, UTC", "R25 granularity; CAT timestamp"),
    ("venue_time_ns", "int", "the venue's own time of it", "R24 9 and 13, as the venue says"),
    ("order_id", "text", "our number of the order, the same all its life", "R24 20; CAT orderID"),
    ("user_reference", "int", "our reference at the venue; a replace has another"),
    ("previous_reference", "int", "the reference that was replaced", "CAT priorOrderID"),
    ("venue_order_id", "text", "the venue's number of the order", "R24 20 as the venue gave it"),
    ("trade_id", "text", "the venue's number of the trade", "R24 48"),
    ("account", "text", "the session's user at the venue", "R24 1, as far as it is known"),
    ("venue", "text", "the venue's name; a MIC where it was given as one", "R24 16"),
    ("symbol", "text", "the instrument, as the venue calls it", "R24 18; no ISIN is known"),
    ("currency", "text", "of the price", "R24 29"),
    ("side", "text", "buy, sell, sell short", "R24 32; CAT side"),
    ("order_type", "text", "limit or market", "R24 22, 23; CAT orderType"),
    ("validity", "text", "day, immediate or cancel, ...", "R24 10; CAT timeInForce"),
    ("is_passive_only", "bool", "it may only make", "R24 43"),
    ("display", "text", "visible, hidden or attributed", "R24 38, of what is hidden"),
    ("displayed_quantity", "number", "what of it shows; empty: all", "R24 38"),
    ("capacity", "text", "principal, agency, ...", "R24 7 DEAL, AOTC"),
    ("price", "number", "limit price; empty: at the market", "R24 24; CAT price"),
    ("quantity", "number", "all it asks for, the filled part included", "R24 36"),
    ("remaining", "number", "what is open after the message, hidden part too", "R24 37"),
    ("traded_price", "number", "of this execution", "R24 28"),
    ("traded_quantity", "number", "of this execution", "R24 39"),
    ("liquidity", "text", "passive: it stood; aggressive: it took", "R24 44"),
    ("strategy", "text", "whose order it is"),
    ("decision_maker", "text", "strategy and digest of its release or text", "R24 4; R6 annex II"),
    ("execution_maker", "text", "what sent it: hftlib and its version", "R24 5"),
    ("is_algorithm", "bool", "always: an algorithm decides here", "R24 4, 5; R6"),
    ("client_id", "text", "empty: orders are for the firm's own account", "R24 3 not known"),
    ("short_flag", "text", "empty: not known beyond `side`", "not known"),
    ("reason", "text", "why the venue refused, cancelled or restated"),
    ("mode", "text", "live, canary, paper, shadow or wire: the last three reach no market"),
    ("simulated", "bool", "no market saw it"),
    ("repeated", "bool", "the same message again, after a session broke"),
)
FILLS = _columns(
    ("journal", "text", "the journal", "evidence"),
    ("time", "time", "the venue's time of the fill", "R24 9"),
    ("venue_time_ns", "int", "the same, ns since 1970, UTC", "R25"),
    ("time_ns", "int", "when it reached us"),
    ("order_id", "text", "our number of the order", "R24 20"),
    ("trade_id", "text", "the venue's number of the trade", "R24 48"),
    ("strategy", "text", "whose fill it is"),
    ("venue", "text", "where", "R24 16; 606 venue"),
    ("symbol", "text", "what", "R24 18"),
    ("currency", "text", "of price and fee", "R24 29"),
    ("side", "text", "buy or sell", "R24 32"),
    ("price", "number", "of the fill", "R24 28"),
    ("quantity", "number", "of the fill", "R24 39"),
    ("fee", "number", "paid; below zero: a rebate", "best execution: costs"),
    ("liquidity", "text", "passive or aggressive", "R24 44; 606"),
    ("middle", "number", "of best bid and ask just before", "605 effective spread"),
    ("position", "number", "held after it, of that strategy"),
)
REFUSALS = _columns(
    ("journal", "text", "the journal", "evidence"),
    ("time", "time", "when it was refused", "R6 pre-trade controls"),
    ("time_ns", "int", "the same, ns since 1970, UTC"),
    ("strategy", "text", "whose order it would have been"),
    ("venue", "text", "where it would have gone"),
    ("symbol", "text", "what"),
    ("side", "text", "buy or sell"),
    ("price", "number", "limit price; empty: none"),
    ("quantity", "number", "what it asked for"),
    ("reason", "text", "which control said no"),
    ("level", "text", "instrument, strategy, portfolio or firm"),
    ("limit", "number", "the limit, in its unit"),
    ("seen", "number", "what was beyond it"),
    ("unit", "text", "of both"),
)
ACTIONS = _columns(
    ("source", "text", "journal or audit log", "evidence"),
    ("time", "time", "when", "R6 annex II; 15c3-5 controls"),
    ("time_ns", "int", "the same, ns since 1970, UTC"),
    ("who", "text", "the person or the process"),
    ("role", "text", "in which role"),
    ("second", "text", "the second person, where two were needed"),
    ("did", "text", "what was done"),
    ("what", "text", "to what, and which value"),
    ("why", "text", "the reason that was given"),
    ("outcome", "text", "what came of it, where it is known"),
)
INCIDENTS = _columns(
    ("source", "text", "journal, alert or clock", "evidence"),
    ("time", "time", "when"),
    ("time_ns", "int", "the same, ns since 1970, UTC"),
    ("kind", "text", "connection, feed, clock, restart, reconciliation, alert, watchdog, damage"),
    ("what", "text", "in words"),
    ("severity", "text", "info, warning, critical"),
)
CLOCKS = _columns(
    ("journal", "text", "the journal", "evidence"),
    ("time", "time", "when it was looked"),
    ("time_ns", "int", "the same, ns since 1970, UTC"),
    ("why", "text", "first, stepped, drifted, synchronised, ..."),
    ("offset_ns", "int", "UTC of the host less the runner's time", "R25 divergence, of two parts"),
    ("error_ns", "int", "what the kernel believes its clock is off; empty: not known", "R25"),
    ("error_ns_max", "int", "the kernel's bound of that", "R25 divergence, the other part"),
    ("divergence_ns_max", "int", "both together, at most", "R25 table 2; CAT 50 ms"),
    ("step_ns", "int", "how far UTC was set since the look before"),
    ("is_synchronised", "bool", "whether the kernel says that its clock is", "R25 traceability"),
)
EXECUTION = _columns(
    ("journal", "text", "the journal", "evidence"),
    ("venue", "text", "where", "606 venue"),
    ("symbol", "text", "what", "605 symbol"),
    ("side", "text", "buy or sell", ""),
    ("currency", "text", "of the money"),
    ("orders", "int", "orders sent", "605 covered orders; 606"),
    ("canceled", "int", "ended by a cancel", "605"),
    ("rejected", "int", "the venue never took", "605"),
    ("orders_with_fill", "int", "orders with a fill", "605"),
    ("quantity_sent", "number", "asked for", "605 covered shares"),
    ("quantity_filled", "number", "filled", "605 executed shares"),
    ("turnover", "number", "money", "606 share by venue"),
    ("passive_share", "number", "of the turnover, 0 to 1", "606"),
    ("fees", "number", "paid; below zero: rebates", "606 payments and fees"),
    ("effective_spread", "number", "twice side x (price - middle), by quantity", "605"),
    ("realised_spread", "number", "twice side x (price - middle later), by quantity", "605"),
    ("realised_after_ns", "int", "how long later that middle is", "605"),
    ("time_to_fill_ns", "int", "from sending to the first fill, mean", "605"),
)
TABLES: dict[str, tuple[Column, ...]] = {
    "orders": ORDERS,
    "fills": FILLS,
    "refusals": REFUSALS,
    "actions": ACTIONS,
    "incidents": INCIDENTS,
    "clocks": CLOCKS,
    "execution": EXECUTION,
}
ORDER_NAMES = tuple(one.name for one in ORDERS if one.type != "time")


def schema_of(table: str) -> Any:
    """The same for pyarrow."""
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "int": pa.int64(),
        "bool": pa.bool_(),
        "number": pa.decimal128(38, 12),
        "time": pa.timestamp("ns", tz="UTC"),
    }
    return pa.schema([(one.name, types[one.type]) for one in TABLES[table]])
