"""Print text for people, prepare the standard streams, and keep tracebacks in files. No torch."""
