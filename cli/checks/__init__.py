"""What `rapport doctor` looks at: a module for each place it looks, a function for each thing."""
