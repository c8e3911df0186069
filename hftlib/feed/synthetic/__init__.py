"""A synthetic market: order-by-order flow in real ITCH 5.0 bytes, the same on any machine."""
