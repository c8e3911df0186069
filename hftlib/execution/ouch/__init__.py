"""The gateway to a venue that speaks OUCH 5.0: commands out as its messages, its answers in."""
