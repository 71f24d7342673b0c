"""What follows from a division: whether it is fair, what to plan next, and how prices alone would reach it."""
