"""The rules of recognizing: what an identifier is, which ones belong together, and what a human may change about it.

A *fragment* is one identifier ever seen. Automatic links join fragments into *clusters*; manual links join
clusters into *people*. Automatic links are judged on clusters alone, so a merge by hand that is cut again leaves
exactly what would have been without it.
"""
