"""What a notebook shows beyond tables: live pieces of the desk, replays, magics, formatters.

It is loaded in notebooks alone, by `%load_ext hftlib` and by the names that live here.
"""
