"""Cycles: requests that can be repeated for ever, and the search for the worst of them."""
