"""What was deployed, when, by whom, how it came out, and the figures that follow from it."""
