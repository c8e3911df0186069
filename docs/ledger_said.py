"""What each column of a ledger's table is, for `docs/strategies.md`."""

LEDGER_SAID = {
    "position": "held now; below zero: sold short",
    "bought": "quantity bought",
    "sold": "quantity sold",
    "fills": "how many were booked",
    "cash": "received for all sales less paid for all purchases, without fees",
    "cost": "what is held cost; of a short position minus what it brought",
    "realised": "by what was closed, before fees; always `cash` + `cost`",
    "unrealised": "what is held at its mark, less its `cost`; not a number without a mark",
    "gross": "`realised` + `unrealised`, which is `cash` + position x mark",
    "fees": "paid; rebates are negative",
    "net": "`gross` - `fees`",
    "turnover": "sum of price x quantity",
}
