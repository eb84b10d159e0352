"""Estimate the compute-optimal size by the three approaches of Hoffmann et al. 2022 (arXiv 2203.15556,
section 3) and test whether they agree."""
