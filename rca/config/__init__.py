"""Configuration: one value, made from file, environment and flags, and passed explicitly."""
