"""`assay check`: test the promises of a live deployment, one by one, as a caller."""
