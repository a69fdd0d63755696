"""The exact offline optimum: schedules with integer duals as proof, curves, best splits and pinnings."""

from lp.bounds import compulsory_bound, lower_bounds, phase_bound, window_bound
from lp.curves import fault_curve
from lp.dual import Dual, dual_of_kept
from lp.gaps import Gaps, gaps_of
from lp.online import best_dual, dual_value, online_dual
from lp.optimum import ROUTES, optimum
from lp.paths import weighted_curve
from lp.pinning import Pinning, best_static_pinning
from lp.result import Optimum, SolverError
from lp.split import Split, best_static_split

__all__ = [
    "ROUTES",
    "Dual",
    "Gaps",
    "Optimum",
    "Pinning",
    "SolverError",
    "Split",
    "best_dual",
    "best_static_pinning",
    "best_static_split",
    "compulsory_bound",
    "dual_of_kept",
    "dual_value",
    "fault_curve",
    "gaps_of",
    "lower_bounds",
    "online_dual",
    "optimum",
    "phase_bound",
    "weighted_curve",
    "window_bound",
]
