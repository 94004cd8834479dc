"""Routes that services have in common, made for each service's own name and tables."""
