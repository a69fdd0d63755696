"""Layered paging: models, policies and the engine. Imports nothing of the other packages."""

from paging.compare import Comparison, compare
from paging.errors import (
    IllegalAnswerError,
    IllegalSequenceError,
    InfeasibleScheduleError,
    LayeredPagingError,
    LimitError,
    ModelError,
    TraceError,
    UnknownNameError,
    UnsupportedModelError,
)
from paging.expectation import Estimate, expected_cost, expected_faults, sample_costs, sample_faults
from paging.fractional import FractionalRun, serve_fractionally
from paging.hindsight import Mistake, mistakes
from paging.model import (
    BYPASS,
    FREE,
    HIT,
    Entry,
    Frame,
    LayeredInstance,
    Page,
    RequestSequence,
    Schedule,
    Step,
)
from paging.offline import OfflineAlgorithm, farthest_in_future, optimum_so_far, phase_starts
from paging.policy import TRAITS, Policy, get_policy, registered_policies
from paging.predicted import PredictedSequence
from paging.predictors import Errors, Predictor, predict, prediction_errors, true_predictions
from paging.rounding import RoundedRun, serve_rounded
from paging.run import Run
from paging.simulate import Session, simulate, steps
from paging.sized import SizedRun, serve_sized
from paging.traces import Trace, TraceReading, read_trace, requests_trace, write_trace
from paging.viewer import film_of, show
from paging.weights import Weights, exact_weights, read_weights
from paging.work_function import WorkFunction
from paging.workloads import WORKLOADS, generate

__all__ = [
    "BYPASS",
    "FREE",
    "HIT",
    "TRAITS",
    "WORKLOADS",
    "Comparison",
    "Entry",
    "Errors",
    "Estimate",
    "FractionalRun",
    "Frame",
    "IllegalAnswerError",
    "IllegalSequenceError",
    "InfeasibleScheduleError",
    "LayeredInstance",
    "LayeredPagingError",
    "LimitError",
    "Mistake",
    "ModelError",
    "OfflineAlgorithm",
    "Page",
    "Policy",
    "PredictedSequence",
    "Predictor",
    "RequestSequence",
    "RoundedRun",
    "Run",
    "Schedule",
    "Session",
    "SizedRun",
    "Step",
    "Trace",
    "TraceError",
    "TraceReading",
    "UnknownNameError",
    "UnsupportedModelError",
    "Weights",
    "WorkFunction",
    "compare",
    "exact_weights",
    "expected_cost",
    "expected_faults",
    "farthest_in_future",
    "film_of",
    "generate",
    "get_policy",
    "mistakes",
    "optimum_so_far",
    "phase_starts",
    "predict",
    "prediction_errors",
    "read_trace",
    "read_weights",
    "registered_policies",
    "requests_trace",
    "sample_costs",
    "sample_faults",
    "serve_fractionally",
    "serve_rounded",
    "serve_sized",
    "show",
    "simulate",
    "steps",
    "true_predictions",
    "write_trace",
]
