"""The wire's two translations again, slow and plain: dictionaries in, dictionaries or bytes out.

It reads and writes messages as people do (`ouch.inbound`, `itch.build`) and knows the codes as
`if`s, so a swapped table or a wrong offset in the compiled room shows.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import ouch
from hftlib.feed.itch import messages as itch
from hftlib.venue.matching import reasons as why
from hftlib.venue.matching import records as r

SYMBOLS, FIRMS = ("AAA", "LONGNAME", "Z"), ("FRM1", "AB", "HFTX")
SECOND = 1_000_000_000
NONE_SUCH = 255
BEYOND = {"discretion_price", "discretion_type", "discretion_offset", "random_reserve", "route"}
BEYOND |= {"display_quantity", "display_price"}


def units(price: Any) -> int:
    return int(price * 10_000)


def command_of(
    m: Any, session: int, member: dict[str, int], now: int, locked: set[int]
) -> dict[str, Any]:
    """What the engine is to be told of this message; fields that are 0 are left out."""
    made: dict[str, Any] = {"time": now, "session": session, "firm": member["firm"]}
    letter, said = m.type, m.options
    if letter in "OU":
        made |= _terms(m, now)
    if letter == "O":
        made |= {"kind": r.ENTER, "urn": m.urn, "side": "_BSTE".find(m.side)}
        made |= {"capacity": ord(m.capacity), "sweep": ord(m.iso)}
        made["symbol"] = SYMBOLS.index(m.symbol) if m.symbol in SYMBOLS else r.ALL - 1
        made["cross"] = "NOCH".find(m.cross)
        made["group"] = said.get("group", member["group"])
        made["prevention"] = member["prevention"]
        if "self_match" in said:
            made["prevention"] = {"N": 1, "O": 2, "B": 3, "D": 4}.get(said["self_match"], -1)
        styles = {"L": r.PLAIN, "P": r.PEG_OTHER, "R": r.PEG_SAME, "M": r.PEG_MID, "m": r.PEG_MID}
        made["style"] = styles.get(said.get("price_type", "L"), -1)
        if said.get("firm", FIRMS[member["firm"] - 1]) != FIRMS[member["firm"] - 1]:
            made["firm"] = 0xFFFF
        if member.get("purges"):
            made["firm"] = 0xFFFF
        if BEYOND & set(said):
            made["style"] = -1
    elif letter == "U":
        made |= {"kind": r.REPLACE, "urn": m.urn, "original": m.original, "sweep": ord(m.iso)}
        if BEYOND & set(said):
            made["lasts"] = -1
    elif letter == "X":
        made |= {"kind": r.CANCEL, "urn": m.urn, "quantity": m.quantity}
    elif letter == "M":
        made |= {"kind": r.MODIFY, "urn": m.urn, "quantity": m.quantity}
        made["side"] = "_BSTE".find(m.side)
    elif letter in "CDE":
        kinds = {"C": r.MASS_CANCEL, "D": r.DISABLE, "E": r.ENABLE}
        made |= {"kind": kinds[letter], "urn": m.urn}
        if m.firm and m.firm != FIRMS[member["firm"] - 1]:
            made["firm"] = 0xFFFF
        if letter == "C":
            known = SYMBOLS.index(m.symbol) if m.symbol in SYMBOLS else r.ALL - 1
            made["symbol"] = known if m.symbol else r.ALL
            made["flags"] = r.OF_ALL if member.get("purges") else 0
        elif made["firm"] != 0xFFFF:
            if member.get("purges"):
                (locked.add if letter == "D" else locked.discard)(member["firm"])
            elif letter == "E" and member["firm"] in locked:
                made["firm"] = 0xFFFF
    else:
        made["kind"] = r.ACCOUNT
    tiny = ("side", "style", "lasts", "shows", "cross", "prevention")
    made = {k: NONE_SUCH if k in tiny and v == -1 else v for k, v in made.items()}
    return {name: value for name, value in made.items() if value}


def _terms(m: Any, now: int) -> dict[str, Any]:
    said = m.options
    made = {"quantity": m.quantity, "price": units(m.price)}
    made["lasts"] = {"0": r.DAY, "3": r.IOC, "5": r.GTX, "6": r.GTT, "E": r.GTX}.get(m.tif, -1)
    made["shows"] = {"Y": r.SHOWN, "N": r.HIDDEN, "A": r.ATTRIBUTED}.get(m.display, -1)
    if m.tif == "6" and "expire_time" in said:
        made["expire"] = now + said["expire_time"] * SECOND
    made["minimum"], made["display"] = said.get("min_quantity", 0), said.get("max_floor", 0)
    made["offset"] = said.get("peg_offset", 0)
    made["flags"] = r.POST_ONLY if said.get("post_only") == "P" else 0
    text = m.client_id.ljust(14).encode() + bytes(2)
    made["client_low"] = int.from_bytes(text[:8], "little", signed=True)
    made["client_high"] = int.from_bytes(text[8:], "little", signed=True)
    return made


REJECTS = {
    "NOT_OPEN": 2, "BAD_DISPLAY": 3, "BAD_STYLE": 5, "IS_HALTED": 7, "NOT_TRADING": 7, "NO_SIDE": 9,
    "NO_ROOM": 10, "NO_SESSION": 12, "NO_FIRM": 12, "FIRM_DISABLED": 12, "BAD_MINIMUM": 13,
    "BAD_QUANTITY": 19, "BAD_CROSS": 20, "NO_ORDER": 21, "NO_SYMBOL": 23, "BAD_PRICE": 29,
    "OFF_GRID": 29,
}  # fmt: skip


def answer_of(
    one: Any, midnight: int, crossing: int, echo: dict[str, Any]
) -> tuple[bytes, dict[str, Any]] | None:
    """What the owner hears of a report: the message, and its fields for a drop copy (or none)."""
    kind = r.REPORTS[one["kind"]]
    stamp: dict[str, Any] = {"timestamp": one["time"] - midnight, "urn": one["urn"]}
    price, quantity = {"price": one["price"] / 10_000}, {"quantity": one["quantity"]}
    text = one["client_low"].tobytes() + one["client_high"].tobytes()
    client = {"client_id": text[:14].decode().rstrip()}
    options: dict[str, Any] = {}
    order = {
        **price,
        **quantity,
        **client,
        "side": " BSTE"[one["side"]],
        "symbol": SYMBOLS[min(one["symbol"], 2)],
        "tif": " 0365"[one["lasts"]],
        "display": " YNA"[one["shows"]],
        "reference": one["order"],
        "capacity": chr(one["capacity"]),
        "iso": chr(one["sweep"]),
        "cross": "NOCH"[one["cross"]],
        "state": "L",
    }
    is_of_orders = True
    if kind == "accepted":
        letter, fields, options = "A", order, echo
    elif kind == "replaced":
        letter, fields, options = "U", order | {"original": one["original"]}, echo
    elif kind == "executed":
        liquidity = {"A": "A", "R": "R", "H": "J"}.get(chr(one["liquidity"]), "NOCH"[crossing])
        letter, fields = "E", {**price, **quantity, "match": one["other"], "liquidity": liquidity}
    elif kind == "cancelled":
        letter, fields = "C", {**quantity, "reason": why.LETTERS[one["reason"]] or "Z"}
    elif kind == "prevented":
        letter, fields = "D", {**price, **quantity, "reason": "Q", "prevented": one["extra"]}
        fields |= {"liquidity": " ", "strategy": " NOBD"[one["prevention"]]}
    elif kind == "broken":
        letter, fields = "B", {"match": one["other"], "reason": "S"}
    elif kind == "modified":
        letter, fields = "M", {"quantity": one["open"], "side": order["side"]}
    else:
        is_of_orders = False
        found = _control(kind, one, client, order)
        if found is None:
            return None
        letter, fields = found
        if letter == "Q":
            stamp.pop("urn")
    message = ouch.outbound(letter, options, **stamp, **_money(fields))
    return bytes(message), {"letter": letter, "options": options} if is_of_orders else {}


def _money(fields: dict[str, Any]) -> dict[str, Any]:
    if "price" in fields:
        return fields | {"price": f"{fields['price']:.4f}"}
    return fields


def _control(kind: str, one: Any, client: Any, order: Any) -> tuple[str, dict[str, Any]] | None:
    firm = {"firm": ("", *FIRMS)[one["firm"]]}
    if kind == "rejected":
        return "J", {"reason": REJECTS.get(why.NAMES[one["reason"]], 15), **client}
    if kind == "priority":
        names = ("price", "display", "reference")
        return "T", {name: order[name] for name in names}
    if kind == "cancel rejected":
        return "I", {}
    if kind == "account":
        return "Q", {"next_urn": one["quantity"]}
    if kind == "mass cancelled" and one["reason"] != why.CUT_OFF:
        return "X", firm | {"symbol": "" if one["symbol"] == r.ALL else SYMBOLS[one["symbol"]]}
    if kind in ("disabled", "enabled"):
        return ("G" if kind == "disabled" else "K"), firm
    return None


def public_of(one: Any, midnight: int) -> bytes | None:
    """What the public hears of a report."""
    if not one["public"]:
        return None
    letter = chr(one["public"])
    stock = {"stock": SYMBOLS[min(one["symbol"], 2)]}
    price = {"price": f"{one['price'] / 10_000:.4f}"}
    match, old = {"match": one["other"]}, {"reference": one["order"]}
    fields: dict[str, Any] = {
        "A": {**old, **stock, **price, "shares": one["shown"], "side": " BSSS"[one["side"]]},
        "E": {**old, **match, "shares": one["shown"]},
        "C": {**old, **match, **price, "shares": one["shown"]},
        "X": {**old, "shares": one["shown"]},
        "D": old,
        "U": {**price, "reference": one["other"], "new_reference": one["order"]},
        "P": {**stock, **price, **match, "side": "B", "shares": one["quantity"]},
        "Q": {**stock, **price, **match, "shares": one["quantity"], "cross": "NOCH"[one["cross"]]},
        "H": {**stock, "state": "HQTHP"[min(one["state"], 4)], "reserved": " "},
        "B": match,
    }.get(letter, {})
    if letter == "A" and one["shows"] == r.ATTRIBUTED:
        letter, fields = "F", fields | {"mpid": ("", *FIRMS)[one["firm"]]}
    elif letter == "C":
        fields["printable"] = "Y" if one["printed"] else "N"
    elif letter == "D" and one["kind"] == r.REPLACED:
        fields = {"reference": one["other"]}
    elif letter == "U":
        fields["shares"] = one["shown"]
    elif letter == "H":
        fields["reason"] = int(one["extra"]).to_bytes(4, "big").decode() if one["extra"] else ""
    elif letter == "J":
        names = {"reference_price": "price", "upper": "quantity", "lower": "open"}
        fields = stock | {ours: f"{one[name] / 10_000:.4f}" for ours, name in names.items()}
    elif letter == "I":
        names = {"far_price": "open", "near_price": "other", "reference_price": "price"}
        fields = stock | {ours: f"{one[name] / 10_000:.4f}" for ours, name in names.items()}
        fields |= {"paired": one["quantity"], "imbalance": one["extra"]}
        fields |= {"direction": "NBS"[one["state"]], "cross": "NOCH"[one["cross"]]}
        fields["variation"] = _variation(int(one["other"]), int(one["price"]))
    elif letter == "S":
        fields = {"event": chr(one["extra"])}
    locate = 0 if letter == "S" else one["symbol"] + 1
    return bytes(itch.build(letter, locate=locate, timestamp=one["time"] - midnight, **fields))


def _variation(near: int, reference: int) -> str:
    if not near or not reference:
        return " "
    percent = abs(near - reference) * 100 // reference
    if percent < 1:
        return "L"
    return str(percent) if percent < 10 else "ABC"[min(percent // 10, 3) - 1]
