"""`hft desk`: the page that a trading desk keeps open, over one runner or several.

    watching.py     what runners, alerts and rollouts are, looked at twice a second: one thread
    discovering.py  which runners of this user there are, also those that start later
    application.py  what is answered where: the page, the state, the stream, journals, actions
    guarding.py     who may ask at all: host, origin, session or token, plane
    acting.py       an action: role, reason, second factor, second person; then the runner is told
    serving.py      two planes, each with its own address and its own TLS
    command.py      `hft desk`, `hft desk certificate`

It reads mappings of the runners' pages and nothing of their processes; it tells them by their
control sockets, as `hft pause` does. `hft live` loads nothing of this.
Worst case: a desk that is stopped or slow is seen by nobody but those who look at it.
"""
