"""What reaches customers."""
