"""What exists here, and what may be done."""
