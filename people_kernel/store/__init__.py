"""Tables that services have in common, made for each service's own metadata, and the questions asked of them."""
