"""Identity's tables and what is asked of them. Functions take a session and never commit."""
