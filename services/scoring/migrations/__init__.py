"""Migrations of the scoring store, forward only."""
