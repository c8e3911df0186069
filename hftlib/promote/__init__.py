"""promote: from a strategy's notebook to a release that may trade, with the evidence for it."""
