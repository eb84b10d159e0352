"""Convert growth into months, shares, prices and energy."""
