"""OUCH 5.0: orders to a venue and what it answers, inside SoupBinTCP (`hftlib.core.soup`).

    from hftlib.core import ouch
    order = ouch.inbound("O", urn=1, side="B", quantity=100, symbol="AAPL", price="185.01")
    order.price, bytes(order)              Decimal('185.0100'), what goes on the wire
    ouch.decode(data, ouch.OUTBOUND)       a message of the venue, as a person reads it

`messages` draws them, `codec` is compiled, `options` has the optional fields behind a message,
`codes` what the letters and numbers in them mean.
"""

from hftlib.core.ouch.messages import INBOUND, OUTBOUND
from hftlib.core.ouch.options import TAGS
from hftlib.core.ouch.reading import OuchMessage, decode, inbound, outbound

__all__ = ["INBOUND", "OUTBOUND", "TAGS", "OuchMessage", "decode", "inbound", "outbound"]
