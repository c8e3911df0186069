"""From a strategy's notebook to a signed release, and who allowed it."""
