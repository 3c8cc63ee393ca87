"""A small shop of real processes, broken in known ways while `rca` watches it."""
