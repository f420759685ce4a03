"""Model bundles: import, conversion, publishing."""
