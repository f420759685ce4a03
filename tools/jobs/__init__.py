"""File jobs from the command line: done on this machine, or by a service that is followed."""
