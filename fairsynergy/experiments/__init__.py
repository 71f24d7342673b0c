"""Many problems by many rules: the paper's experiments run again, and sweeps that outgrow one machine."""
