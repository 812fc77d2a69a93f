"""The last look at each service, taken by housekeeping, and what is to be thought of it."""
