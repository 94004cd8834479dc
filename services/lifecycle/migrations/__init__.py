"""Migrations of the lifecycle store, forward only."""
