"""What CI and promotion run, one module per entry point: `python -m pipelines.NAME`."""
