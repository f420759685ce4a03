"""Files as jobs: planned, cut into shards, worked on, merged, ended.

Only modules that work on rows bring NumPy: the portal, which has none, imports the others.
"""
