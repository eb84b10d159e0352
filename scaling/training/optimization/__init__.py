"""Create optimisers with their parameter groups, and learning-rate schedules."""
