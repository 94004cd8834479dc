"""What nurture keeps, and how it is asked for."""
