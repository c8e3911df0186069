"""Orders' lives: what is sent, what the venue answers, positions and their money."""
