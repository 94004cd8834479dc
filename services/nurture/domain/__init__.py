"""What nurture decides: the buying stage of a person, and which treatment fits them."""
