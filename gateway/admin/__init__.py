"""Sources, forms and keys: who may send and who may call, kept by people with an API key."""
