"""Classification of abstracts, over HTTP (`api`)."""
