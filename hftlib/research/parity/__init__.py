"""A session beside its backtest: what each did, what the difference cost, and a closer model.

    parity = hft.compare("day.journal")

The journal says what ran; the market it heard, with our own orders taken out, is the tape.
"""
