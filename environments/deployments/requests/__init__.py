"""The pages on which people ask: deploy, restart, scale, promote."""
