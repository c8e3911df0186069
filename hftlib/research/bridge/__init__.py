"""Between bars and ticks: a signal found with vectorbt, traded through the order book.

Follower = hft.signals_to_strategy(entries, exits, tape, every="1m", quantity=100)
result = hft.backtest(Follower, tape)
hft.beside_bars(result, portfolio)         what microstructure leaves of it, and where it went
"""
