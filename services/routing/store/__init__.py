"""Routing's tables and the questions asked of them. Functions take a session and never commit."""
