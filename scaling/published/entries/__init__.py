"""List the published fits, one module per group: their claims, figures and sources.

The modules share the fitting code of `scaling.published.refit`.
"""
