"""A release on its way: shadow, canary, champion, and back.

steps.py     who moves which release to which stage, once its policy's conditions hold
mirror.py    aliases and days in the registry follow
command.py   hft rollout, hft rollback
"""
