"""Write the report: one self-contained page that works offline and states the answer first."""
