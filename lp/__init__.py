"""The exact offline optimum: schedules with integer duals as proof, curves, best splits and pinnings.

Beside it two neighbours as integer programs: where experts live when nothing moves, and when recomputing is
cheaper than fetching.
"""

from lp.bounds import compulsory_bound, lower_bounds, phase_bound, window_bound
from lp.curves import fault_curve
from lp.dual import Dual, dual_of_kept
from lp.gaps import Gaps, gaps_of
from lp.online import best_dual, dual_value, online_dual
from lp.optimum import ROUTES, optimum
from lp.paths import weighted_curve
from lp.pinning import Pinning, best_static_pinning
from lp.placement import Placement, best_placement, request_counts
from lp.poet import Computation, StagePlan, best_plan, nodes_of_paging
from lp.result import Optimum, SolverError
from lp.split import Split, best_static_split

__all__ = [
    "ROUTES",
    "Computation",
    "Dual",
    "Gaps",
    "Optimum",
    "Pinning",
    "Placement",
    "SolverError",
    "Split",
    "StagePlan",
    "best_dual",
    "best_placement",
    "best_plan",
    "best_static_pinning",
    "best_static_split",
    "compulsory_bound",
    "dual_of_kept",
    "dual_value",
    "fault_curve",
    "gaps_of",
    "lower_bounds",
    "nodes_of_paging",
    "online_dual",
    "optimum",
    "phase_bound",
    "request_counts",
    "weighted_curve",
    "window_bound",
]
