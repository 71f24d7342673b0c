"""Pages to print: a meeting's handout, worksheets of a lesson, the paper's figures with its claims."""
