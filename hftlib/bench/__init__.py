"""Measurements anyone can repeat: each claim of speed in `docs/` names the one it came from."""
