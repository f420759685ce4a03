"""`assay check`: the contracts of a live deployment, tried one by one from where a caller stands."""
