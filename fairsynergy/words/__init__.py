"""What the program says: numbers and verdicts in plain words, why an agent gets what it gets, what a plan does."""
