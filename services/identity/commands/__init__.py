"""What humans change: people and accounts, and pairs that wait for review."""
