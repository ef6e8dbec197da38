"""The same work on several conversations, agreed to once."""
