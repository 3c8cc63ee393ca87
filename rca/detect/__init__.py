"""Series, logs and spans -> anomalies."""
