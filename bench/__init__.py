"""Measurements; each is a script: `python -m bench.stats`."""
