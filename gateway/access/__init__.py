"""Who may do what on whose object: the table, its page, and the question to routing that the table asks for."""
