"""Where data comes from: each source yields pieces of a harvest; the collector makes them a bundle."""
