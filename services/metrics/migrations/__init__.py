"""Migrations of the metrics store, forward only."""
