"""Webhooks, tags, members of queues and teams, presence: what administrators do."""
