"""Routing traces: which experts a mixture-of-experts model asked for, read from and written to files."""

from paging.traces.files import read_trace, trace_suffixes, write_trace
from paging.traces.trace import Trace, trace_info

__all__ = ["Trace", "read_trace", "trace_info", "trace_suffixes", "write_trace"]
