"""The page of lessons: the course and its steps, what each lesson reveals, and what a teacher takes along."""
