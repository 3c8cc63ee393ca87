"""What every test may use."""

pytest_plugins = ["tests.command", "tests.servers.fixtures"]
