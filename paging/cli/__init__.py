"""The command line: the root, what all commands share, and the commands of this package."""
