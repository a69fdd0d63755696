"""Compiled inner loops of the offline optimum; plain loops over integer arrays."""
