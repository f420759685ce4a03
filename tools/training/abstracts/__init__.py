"""Training of the default classifier, `arxiv-archives`."""
