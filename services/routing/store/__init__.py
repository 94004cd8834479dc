"""What routing keeps, and how it is written and read. Functions take a session and never commit."""
