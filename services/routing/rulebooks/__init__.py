"""Rulebooks that come with the service."""
