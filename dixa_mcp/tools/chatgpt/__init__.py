"""The two tools ChatGPT reads data with; OpenAI fixed their names and answers (practice §5.2)."""
