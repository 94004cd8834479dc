"""What lifecycle keeps, and how it is written and read."""
