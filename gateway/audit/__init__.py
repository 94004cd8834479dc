"""Who saw or changed what: the journal, what goes into it, and how it is read."""
