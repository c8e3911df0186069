"""A rollout: who lets a release trade, on what grounds, and what brings it back.

    steps.py          `hft rollout`, `hft rollback`: one step more, or why not   command.py types it
    mirror.py         MLflow's aliases follow the log; they are never believed
    policy.py         `rollout.toml`: what days must show, and what ends a champion at once
    days.py           which journals count as days of a release in a stage
    measuring.py      what each day has shown, out of its journal
    judging_days.py   may it leave this stage?
"""
