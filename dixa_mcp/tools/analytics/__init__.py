"""Numbers: metrics and records."""
