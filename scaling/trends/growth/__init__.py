"""Fit the growth of one series: rates, intervals, shapes, breaks, frontier filters, multiverse analysis."""
