"""Proposals that two names are one person's: how machines judge them, which claims give way, and what humans review."""
