"""Sweeps: a grid of requests, instances, policies and seeds; a job and a row of a Parquet table for each."""

from paging.sweeps.grid import Grid, GridError, read_grid
from paging.sweeps.run import Sweep, sweep
from paging.sweeps.table import TableError, read_table

__all__ = ["Grid", "GridError", "Sweep", "TableError", "read_grid", "read_table", "sweep"]
