"""The report of a day: what one session or several did, as a page, a PDF and files for regulators.

    report = hft.day_report("day.journal")          shows itself in a notebook
    hft report day day.journal -o report            the same at the prompt

Worst case: a journal is read three times in plain Python, some 100 microseconds a frame in all, and
a backtest of it is run twice where parity is asked for.
"""
