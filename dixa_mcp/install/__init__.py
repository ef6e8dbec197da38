"""`dixa-mcp install CLIENT`: the server's entry in a client's own file, and the table manifests are made from."""
