"""Anomalies and the graph -> a ranking."""
