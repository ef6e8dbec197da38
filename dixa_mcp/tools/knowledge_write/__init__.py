"""Writing and publishing knowledge articles."""
