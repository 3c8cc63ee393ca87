"""The memory of past incidents."""
