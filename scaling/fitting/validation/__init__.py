"""Check a fit by backtests, calibration, selection, lack of fit, influence, multiverse and checklist."""
