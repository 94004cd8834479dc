"""The gateway's migrations, forward only."""
