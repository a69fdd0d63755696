"""The report: everything measured and judged, written as one folder."""
