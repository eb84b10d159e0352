"""Turn a sweep file into a table of cells with their price. No torch."""
