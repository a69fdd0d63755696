"""The engineer's diagnosis of a routing trace: what of the misses is the working set's, what the policy's."""

from proofs.diagnose.cost import CostModel, Price, Tier
from proofs.diagnose.document import diagnose
from proofs.diagnose.prefetch import Prefetched, Prefetcher, simulate_prefetching

__all__ = ["CostModel", "Prefetched", "Prefetcher", "Price", "Tier", "diagnose", "simulate_prefetching"]
