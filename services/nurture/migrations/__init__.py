"""Migrations of the nurture store, forward only."""
