"""What services know of people in common: unit of work, who is who, cards, consent, receipts, versions of rulebooks."""
