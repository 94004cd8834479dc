"""The rules of referring, pure and clockless: who is asked, what an answer brings about, and what the rep gets to
read.
"""
