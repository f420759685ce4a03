"""Operating a deployment: its resources, its dead letters, proofs of its results."""
