"""The command line: thin, and the only place that maps errors to exit codes."""
