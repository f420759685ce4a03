"""Papers: from words on pages to the abstract. Pure: no I/O, no PDF library."""
