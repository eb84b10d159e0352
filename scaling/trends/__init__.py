"""Fit quantities against the calendar: growth rates, breaks, hindcasts, accounting and projections.

Imports no torch.
"""
