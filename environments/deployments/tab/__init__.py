"""Services on an environment's pages, on the overview, in the inbox and in search."""
