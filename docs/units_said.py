"""Which unit each name of `docs/strategies.md` counts in; a name that is not here has none."""

UNITS_OF = {
    "price units": "bid ask last tick price wanted_price trigger want_bid want_ask spread mid "
    "microprice price_at sweep_price mean_price",
    "twice price units": "twice_mid sent_mid",
    "lots": "bid_quantity ask_quantity last_quantity volume lot quantity filled wanted_quantity "
    "display bought sold open_buy open_sell want_bid_quantity want_ask_quantity left position "
    "quantity_at quantity_to quantity_within queue_ahead ahead clip due unknown parent_filled",
    "ns": "time venue_time feed_latency order_latency sent accepted done venue_accepted received "
    "entered asked begin end patience gap behind",
    "money units": "cash fees fee value pnl",
}
UNITS = {name: unit for unit, names in UNITS_OF.items() for name in names.split()}
