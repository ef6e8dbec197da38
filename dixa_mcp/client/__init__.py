"""What knows Dixa: its paths, pace, answers, models and catalogues. Nothing here knows MCP."""
