"""The rulebook that nurture starts with."""
