"""Traces: which experts a model asked for, or which pages a program did, read from and written to files."""

from paging.traces.files import read_trace, requests_trace, trace_formats, trace_suffixes, write_trace
from paging.traces.precisions import importance, two_precisions
from paging.traces.reading import TraceReading
from paging.traces.samples import sample_names
from paging.traces.trace import Trace, trace_info

__all__ = [
    "Trace",
    "TraceReading",
    "importance",
    "read_trace",
    "requests_trace",
    "sample_names",
    "trace_formats",
    "trace_info",
    "trace_suffixes",
    "two_precisions",
    "write_trace",
]
