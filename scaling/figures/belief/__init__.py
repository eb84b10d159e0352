"""Draw the checks of a fit: backtested forecasts and profiles of the objective."""
