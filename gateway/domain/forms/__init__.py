"""Form posts as browsers and form plugins send them: decoded, mapped to claims, and read into an interaction."""
