"""What quants work with: tapes, results, statistics. Never loaded by a live process."""
