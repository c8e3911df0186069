"""A matching engine: commands in, reports out, all of it plain memory; `docs/matching.md`."""
