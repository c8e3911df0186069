"""What wakes people up: a process of its own that looks at runners and tells people.

rules.py        what is looked for, and who is told: a TOML file, `default.toml` without one
sight.py        a runner as it is now and was, by its page
conditions.py   what is wrong of what is seen, each kind of rule a function
book.py         alerts from firing to resolved: once each, until somebody says otherwise
board.py        where they lie, for the desk and for the next start; their hash-chained log
receivers.py    one thread for each address, by apprise: none waits for another
recovery.py     what is done to a runner where a rule says so
watching.py     all of it, turn by turn; `command.py`: `hft alerts`
"""
