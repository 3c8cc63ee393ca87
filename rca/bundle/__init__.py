"""Reading and writing incident bundles (format 1)."""
