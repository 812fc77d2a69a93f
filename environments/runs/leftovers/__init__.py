"""After an apply that ended early: what was made that the state lacks, and what people decide about it."""
