"""The atlas: exact values over all small instances, as jobs, table, figures and findings."""
