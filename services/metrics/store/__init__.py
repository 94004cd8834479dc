"""Tables, what is written into them, and the questions asked of them."""
