"""The command line: the root, and what all commands share."""
