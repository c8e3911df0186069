"""A Unix socket where a process is told things while it runs, a line of JSON each way.

    {"do": "halt", "scope": "firm", ...}     {"ok": true, ...}
    anything else                            {"ok": false, "what": ..., "where": ..., "do": ...}

    places.py    where such a socket lies, and that nobody but its owner comes near it
    serving.py   the process that is told
    asking.py    who tells it

The kernel says who is at the other end and a folder of mode 0700 keeps others out: there is no
password and no port. What can be told is the process's own affair.
"""
