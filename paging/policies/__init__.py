"""The built-in policies, one family a file; every ``Policy`` subclass with an id is registered by itself."""
