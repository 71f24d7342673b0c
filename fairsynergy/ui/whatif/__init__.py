"""What the page What-if is made of: a visitor's tray of scenarios, and one module for each thing to do with it."""
