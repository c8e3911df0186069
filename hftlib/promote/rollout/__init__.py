"""A release on its way: shadow, canary, champion, and back.

policy.py     what days must show before it goes on, and what brings it back at once
days.py       its days, each checked; day_figures.py what one shows; measuring.py the verdict
steps.py      who moves which release to which stage, once its policy's conditions hold
over.py       the runner goes over to what a rollback has made champion
mirror.py     aliases and days in the registry follow
beside.py     two runners on one feed: the A/B report
watching.py   beside a champion's runner: halted and rolled back on a breach
command.py    hft rollout, hft rollback
"""
