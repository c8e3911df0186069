"""SoupBinTCP 3.00: numbered messages over TCP that survive a lost connection, both sides."""
