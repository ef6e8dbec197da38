"""Customers: Dixa calls them end users."""
