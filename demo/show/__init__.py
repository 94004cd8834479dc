"""The last pages of the demo, as text of at most 100 columns. Pure: answers of the API in, lines out."""
