"""What the letters and numbers in OUCH messages mean, in words and in the reasons of hftlib.

    CANCELS["I"]       why an order ended, in words; the reason; whether that is its time
    REJECTS[0x1D]      why it was never taken
    LIQUIDITY["R"]     whether an execution took, in words

Worst case: a letter that is none here reads as nothing, an order that ended by it as the venue's
decision, an execution as one that stood.
"""

from __future__ import annotations

from hftlib.core.orders import (
    ASKED,
    HALTED,
    MOMENT_OVER,
    OFF_GRID,
    SELF_MATCH,
    TIME_OVER,
    VENUE_DECIDED,
    VENUE_NO_KIND,
    WOULD_TAKE,
)

# Letter: words, reason.
CANCELS = {
    "U": ("asked for", ASKED),
    "I": ("it lasted for the moment only", MOMENT_OVER),
    "T": ("its time is over", TIME_OVER),
    "E": ("the market has closed", TIME_OVER),
    "Q": ("it would have met an order of our own", SELF_MATCH),
    "F": ("it may only make, and would have been priced anew", WOULD_TAKE),
    "G": ("it may only make, and one that shows was in its way", WOULD_TAKE),
    "H": ("trading is halted", HALTED),
    "D": ("a rule of the market forbids it", VENUE_DECIDED),
    "K": ("it is outside of the market's collars", VENUE_DECIDED),
    "S": ("the venue's staff did it", VENUE_DECIDED),
    "X": ("it is outside of the protection of the opening", VENUE_DECIDED),
    "Z": ("the venue's system did it", VENUE_DECIDED),
    "e": ("more than the offering allows", VENUE_DECIDED),
}
EXPIRING = "ITE"  # an end by these is an expiry

REJECTS = {
    0x01: ("no quote", VENUE_DECIDED),
    0x02: ("the destination is closed", HALTED),
    0x03: ("the display is none", VENUE_NO_KIND),
    0x04: ("the shown quantity is none", VENUE_NO_KIND),
    0x05: ("the peg is none", VENUE_NO_KIND),
    0x06: ("beyond what may be meant", VENUE_DECIDED),
    0x07: ("trading is halted", HALTED),
    0x08: ("no intermarket sweep is allowed", VENUE_NO_KIND),
    0x09: ("the side is none", VENUE_NO_KIND),
    0x0A: ("an error of the venue's", VENUE_DECIDED),
    0x0B: ("its cancel is pending", VENUE_DECIDED),
    0x0C: ("the firm is not authorised", VENUE_DECIDED),
    0x0D: ("the least quantity is none", VENUE_NO_KIND),
    0x0E: ("there is no closing reference price", VENUE_DECIDED),
    0x0F: ("another reason", VENUE_DECIDED),
    0x10: ("it may not be cancelled", VENUE_DECIDED),
    0x11: ("pegs are not allowed", VENUE_NO_KIND),
    0x12: ("the market is crossed", VENUE_DECIDED),
    0x13: ("the quantity is none", VENUE_NO_KIND),
    0x14: ("no such order for a cross", VENUE_NO_KIND),
    0x15: ("it may not be replaced", VENUE_DECIDED),
    0x16: ("routing is not allowed", VENUE_NO_KIND),
    0x17: ("the symbol is none", VENUE_NO_KIND),
    0x18: ("a test", VENUE_DECIDED),
    0x19: ("late for the close, and too aggressive", VENUE_DECIDED),
    0x1A: ("retail is not allowed", VENUE_NO_KIND),
    0x1B: ("the price of the midpoint is none", OFF_GRID),
    0x1C: ("the destination is none", VENUE_NO_KIND),
    0x1D: ("the price is none", OFF_GRID),
    0x1E: ("more shares than the threshold", VENUE_DECIDED),
    0x1F: ("more value than allowed", VENUE_DECIDED),
    0x20: ("risk: exposure in all", VENUE_DECIDED),
    0x21: ("risk: impact on the market", VENUE_DECIDED),
    0x22: ("risk: a restricted stock", VENUE_DECIDED),
    0x23: ("risk: short sales are restricted", VENUE_DECIDED),
    0x24: ("risk: no intermarket sweep", VENUE_DECIDED),
    0x25: ("risk: too much of the daily volume", VENUE_DECIDED),
    0x26: ("risk: beyond what may be meant", VENUE_DECIDED),
    0x27: ("risk: shares must be located", VENUE_DECIDED),
    0x28: ("risk: too many messages for the symbol", VENUE_DECIDED),
    0x29: ("risk: too many messages for the port", VENUE_DECIDED),
    0x2A: ("risk: too many of the same", VENUE_DECIDED),
    0x2B: ("risk: no short sales", VENUE_DECIDED),
    0x2C: ("risk: no market orders", VENUE_DECIDED),
    0x2D: ("risk: not before the market", VENUE_DECIDED),
    0x2E: ("risk: not after the market", VENUE_DECIDED),
    0x2F: ("risk: no exempt short sales", VENUE_DECIDED),
    0x30: ("risk: value of one order", VENUE_DECIDED),
    0x31: ("risk: quantity of one order", VENUE_DECIDED),
    0x32: ("the state of short sales is not known", VENUE_DECIDED),
}

# Letter: words, whether our order took.
LIQUIDITY = {
    "A": ("added", False),
    "R": ("removed", True),
    "m": ("removed at a midpoint", True),
    "p": ("removed hidden liquidity that improves the price", True),
    "q": ("retail, removed midpoint liquidity", True),
    "r": ("retail, removed retail price improvement", True),
    "t": ("retail, removed hidden liquidity that improves the price", True),
    "J": ("added, hidden", False),
    "u": ("added, hidden part of a reserve", False),
    "N": ("stood at a midpoint", False),
    "n": ("midpoint, extended life", False),
    "e": ("retail, added", False),
    "j": ("retail price improvement, added", False),
    "1": ("retail price improvement, added without a notice", False),
    "7": ("added, bettered the national best", False),
    "8": ("added, set the venue's best", False),
    "0": ("a supplemental order", False),
    "O": ("opening cross", False),
    "M": ("opening cross, imbalance only", False),
    "C": ("closing cross", False),
    "L": ("closing cross, imbalance only", False),
    "H": ("halt or IPO cross", False),
    "K": ("halt cross", False),
    "i": ("closing cross after hours", False),
}
