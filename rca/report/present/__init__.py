"""What the report formats share: numbers for humans, harmless text, and what to show in which order."""
