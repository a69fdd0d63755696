"""The paging game: the best ratio that any deterministic algorithm can have."""
