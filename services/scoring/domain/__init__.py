"""The rules of recording: pure, clockless; profile and scores are a view of the facts that hang on fragments."""
