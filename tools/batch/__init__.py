"""Files ranked and classified on this machine by the code of the functions."""
