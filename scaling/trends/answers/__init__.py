"""Answer questions from the shipped facts."""
