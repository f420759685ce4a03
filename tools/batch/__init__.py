"""Rank and classify files on this machine with the code of the functions."""
