"""Draw fitted laws: the fitted surface, its optimum, its residuals and its bootstrap draws."""
