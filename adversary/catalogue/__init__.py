"""One construction a file; every ``@construction`` is registered by itself."""
