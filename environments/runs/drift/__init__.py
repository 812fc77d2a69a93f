"""Whether what is there is still what was applied, and what people do about it."""
