"""Project a law along a compute trend, and test such forecasts by hindcasts."""
