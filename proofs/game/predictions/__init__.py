"""The best trade-off of any deterministic policy that is given predictions."""
