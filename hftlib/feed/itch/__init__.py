"""Nasdaq TotalView-ITCH 5.0: its 23 messages, and what they mean as events."""
