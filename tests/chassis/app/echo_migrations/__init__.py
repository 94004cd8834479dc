"""Migrations of the miniature service."""
