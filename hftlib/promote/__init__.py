"""From a notebook to a release that may trade: gates, evidence, releases."""
