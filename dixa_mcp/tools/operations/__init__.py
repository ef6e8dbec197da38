"""The whole contract of Dixa: any of its operations, found by words and called by name."""
