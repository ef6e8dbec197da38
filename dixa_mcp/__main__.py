"""`python -m dixa_mcp`."""

from dixa_mcp.cli import main

if __name__ == "__main__":
    main()
