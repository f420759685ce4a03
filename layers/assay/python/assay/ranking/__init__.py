"""Ranking: the gate model, the score model on what passes, the best rows, and the merge of partial rankings.

The total order is score descending, then line; each sequence appears once, at its first line. Pure: no I/O, no AWS.
"""
