"""Work on conversations that colleagues see and customers don't."""
