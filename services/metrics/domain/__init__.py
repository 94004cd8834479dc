"""What is counted, and how: facts on fragments, campaigns and the tags they are known by, periods, money, reports.

Pure.
"""
