"""Cycles: requests that can be repeated for ever, and the search for the worst of them.

``product_graph`` builds the states of a policy beside OPT, ``max_ratio`` finds the cycle of largest ratio,
``cycle`` turns it into requests that are replayed, and ``search`` does all that within a budget.
"""
