"""The rules of recording: pure, clockless; a person's profile and scores are a view of the facts that hang on their fragments."""
