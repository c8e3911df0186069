"""The catalogue of controls: every limit that can be set, its unit, its reason, what it does.

A limit has one value for each scope: one instrument, one strategy, a portfolio of strategies, or
the firm. All four are asked for every order and the tightest wins. This table is the only place
where a limit is named: records, files, pages and the reference in `docs/risk.md` are made from it.

    refuse   an order that would break it never leaves; the reason says which limit, and what it met
    break    what happened breaks it: the scope goes to REDUCING, and far beyond it to HALTED
    pause    the instrument's data are not to be trusted: its orders are cancelled, none leaves

Worst case: a number beyond the table is refused where limits are made (`hftlib.risk.limits`).
"""

from __future__ import annotations

from dataclasses import dataclass

from hftlib.core import orders

NO_LIMIT = 2**62
MONEY_ONE = 10_000  # money is counted in ten-thousandths of the currency of the limits

INSTRUMENT, STRATEGY, PORTFOLIO, FIRM = range(1, 5)
LEVELS = ("", "instrument", "strategy", "portfolio", "firm")

ACTIVE, REDUCING, HALTED = range(3)
TRADING_STATES = ("active", "reducing", "halted")


@dataclass(frozen=True, slots=True)
class Control:
    """One limit that can be set."""

    name: str  # with its unit, as people write it
    unit: str  # lots, money, bps, ticks, count, ms, percent
    does: str  # refuse, break, pause
    reason: int  # of `hftlib.core.orders`; of a breaker, why the state changed
    group: str  # what is asked together; a group that nobody limits costs one branch
    says: str


CONTROLS = tuple(
    Control(*row)
    for row in (
        ("order_quantity_lots", "lots", "refuse", orders.ORDER_TOO_LARGE, "size",
         "the most that one order may ask for"),
        ("order_value_money", "money", "refuse", orders.VALUE_TOO_LARGE, "size",
         "the most that one order may be worth, at its limit or at the market if that is dearer"),
        ("open_orders", "count", "refuse", orders.TOO_MANY_OPEN, "size",
         "how many orders may be open at once"),
        ("collar_bps", "bps", "refuse", orders.OUTSIDE_COLLAR, "collar",
         "how far a limit price may lie on the dear side of the reference price"),
        ("collar_ticks", "ticks", "refuse", orders.OUTSIDE_COLLAR, "collar", "the same in ticks"),
        ("collar_window_bps", "bps", "refuse", orders.MOVED_TOO_FAR, "collar",
         "how far it may lie from the reference as it was when the present collar window began"),
        ("messages", "count", "refuse", orders.TOO_FAST, "pace",
         "new orders and replaces in any messages window; cancels always leave"),
        ("new_orders", "count", "refuse", orders.TOO_MANY_ORDERS, "pace",
         "new orders in any messages window"),
        ("replaces", "count", "refuse", orders.TOO_MANY_REPLACES, "pace",
         "replaces in any messages window"),
        ("paced_orders", "count", "refuse", orders.PACED, "pace",
         "the soft pace of new orders in a messages window: what is faster is refused, or held"),
        ("duplicate_ms", "ms", "refuse", orders.DUPLICATE, "duplicate",
         "how long the same side, price and quantity of an instrument may not be sent again"),
        ("position_lots", "lots", "refuse", orders.POSITION_TOO_LARGE, "position",
         "the most of one instrument, long or short, that could come of all open orders"),
        ("position_value_money", "money", "refuse", orders.POSITION_VALUE_TOO_LARGE, "money",
         "the same in money"),
        ("gross_exposure_money", "money", "refuse", orders.GROSS_TOO_LARGE, "money",
         "the sum over instruments of the larger of what long and short could come to"),
        ("net_exposure_money", "money", "refuse", orders.NET_TOO_LARGE, "money",
         "what all could come to, long less short, with every open order of one side filled"),
        ("capital_money", "money", "refuse", orders.CAPITAL_TOO_LARGE, "money",
         "what is held and what all open orders ask for, both sides, in money"),
        ("value_at_risk_money", "money", "refuse", orders.RISK_TOO_LARGE, "risk",
         "value at risk, computed beside the tick path; above it only reducing orders leave"),
        ("shortfall_money", "money", "refuse", orders.RISK_TOO_LARGE, "risk",
         "expected shortfall, likewise"),
        ("executions", "count", "break", orders.TOO_MANY_EXECUTIONS, "break",
         "fills in an executions window; one more halts the strategy until a person enables it"),
        ("daily_loss_money", "money", "break", orders.LOSS, "break",
         "loss since the session began, fees and what is held included"),
        ("drawdown_money", "money", "break", orders.DRAWDOWN, "break",
         "loss since the best moment of the session"),
        ("trade_loss_money", "money", "break", orders.TRADE_LOSS, "break",
         "loss that one fill realises, against the average cost"),
        ("slippage_bps", "bps", "break", orders.SLIPPAGE, "break",
         "average slippage of fills against the middle when their order was sent"),
        ("fill_rate_percent", "percent", "break", orders.FILL_RATE, "break",
         "of the last 60 orders that ended, at least so many must have been filled in part"),
        ("reject_rate_percent", "percent", "break", orders.REJECT_RATE, "break",
         "of the last 60 orders that ended, at most so many may have been rejected by the venue"),
        ("message_rate", "count", "break", orders.MESSAGE_RATE, "break",
         "attempts to send in a messages window, refused ones included: a strategy that runs wild"),
        ("volatility_bps", "bps", "pause", orders.VOLATILITY, "data",
         "from lowest to highest middle in a volatility window; beyond it the instrument reduces"),
        ("stale_ms", "ms", "pause", orders.STALE, "data",
         "how old the last news of an instrument's book may be"),
        ("clock_skew_ms", "ms", "pause", orders.CLOCKS_DISAGREE, "data",
         "how far the venue's time of an event and ours may lie apart"),
    )
)  # fmt: skip
NAMES = tuple(one.name for one in CONTROLS)
(
    ORDER_QUANTITY,
    ORDER_VALUE,
    OPEN_ORDERS,
    COLLAR_BPS,
    COLLAR_TICKS,
    COLLAR_WINDOW_BPS,
    MESSAGES,
    NEW_ORDERS,
    REPLACES,
    PACED_ORDERS,
    DUPLICATE,
    POSITION,
    POSITION_VALUE,
    GROSS,
    NET,
    CAPITAL,
    VALUE_AT_RISK,
    SHORTFALL,
    EXECUTIONS,
    LOSS,
    DRAWDOWN,
    TRADE_LOSS,
    SLIPPAGE,
    FILL_RATE,
    REJECT_RATE,
    MESSAGE_RATE,
    VOLATILITY,
    STALE,
    CLOCK_SKEW,
) = range(len(CONTROLS))
CONTROLS_MAX = 40
# What is counted in windows, in the order of the rings of `hftlib.risk.memory`.
RING_LIMITS = ("messages", "new_orders", "replaces", "executions", "message_rate", "paced_orders")

# A limit that nobody set: the largest number there is; of a minimum, the smallest.
UNSET = tuple(0 if name == "fill_rate_percent" else NO_LIMIT for name in NAMES)

GROUPS = ("size", "collar", "pace", "duplicate", "position", "money", "risk", "break", "data")
G_SIZE, G_COLLAR, G_PACE, G_DUPLICATE, G_POSITION, G_MONEY, G_RISK, G_BREAK, G_DATA = (
    1 << n for n in range(len(GROUPS))
)


@dataclass(frozen=True, slots=True)
class Window:
    """A setting that says over which time, or how far beyond, limits of its scope count."""

    name: str
    unit: str  # ms or percent
    usual: int
    says: str


WINDOWS = (
    Window("messages_window_ms", "ms", 1_000, "the window of messages, orders and replaces"),
    Window("executions_window_ms", "ms", 1_000, "the window of executions"),
    Window("collar_window_ms", "ms", 60_000, "how long the window collar keeps its reference"),
    Window("volatility_window_ms", "ms", 60_000, "the window of volatility"),
    Window(
        "halt_at_percent",
        "percent",
        150,
        "where a breaker's state goes on from REDUCING to HALTED, in percent of its limit",
    ),
)
WINDOW_NAMES = tuple(one.name for one in WINDOWS)
MESSAGES_WINDOW, EXECUTIONS_WINDOW, COLLAR_WINDOW, VOLATILITY_WINDOW, HALT_AT = range(5)
WINDOWS_MAX = 8
MS = 1_000_000
