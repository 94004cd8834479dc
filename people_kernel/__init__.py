"""What every service that decides about people has in common: versions of a rulebook, receipts, who is
who, and what a rule can know of a person.
"""
