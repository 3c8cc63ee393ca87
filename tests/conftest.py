"""What every test may use."""

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.command", "tests.servers.fixtures"]

# A loaded machine makes no property false. In CI the examples are the same each time, so that a failure there can
# be repeated; elsewhere new ones are tried.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("steady"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "steady")
