"""Fuzzing: what each reader of strangers' bytes must do with any bytes at all, and the bytes that proved hard."""
