"""How the market reaches the gateway: by the analytics SDK of the site and the product's server, and by plain form
posts.
"""
