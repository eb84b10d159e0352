"""Offer the suite to Python: what `import scaling` exports, over every room."""
