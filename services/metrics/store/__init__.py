"""Tables and the questions asked of them."""
