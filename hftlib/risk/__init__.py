"""Intents become allowed, or are refused for a reason."""
