"""What the organisation has written down: its help centre and handbooks."""
