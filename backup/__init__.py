"""Back-up and restore: streams and stores as they were at one moment, in one file."""
