"""Which change set the incident off, or that none of the known ones explains it."""
