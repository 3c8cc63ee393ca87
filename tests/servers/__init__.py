"""Real servers for the tests: fetched, started on free ports, filled with known telemetry, stopped."""
