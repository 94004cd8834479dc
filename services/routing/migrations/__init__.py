"""Migrations of the routing store, forward only."""
