"""Ranking of sequences: over HTTP (`api`) and by files dropped in a bucket (`upload`)."""
