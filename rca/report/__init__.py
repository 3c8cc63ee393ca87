"""One module a format; the folder is the registry."""
