"""Published fits, one module a group. Only facts and figures with their source; the fitting is the same for
all."""
