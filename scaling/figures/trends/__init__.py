"""Figures against the calendar, from the shipped facts, a sweep or a comparison."""
