"""What is counted, and how: campaigns and the tags they are known by, periods, money, ratios. Pure."""
