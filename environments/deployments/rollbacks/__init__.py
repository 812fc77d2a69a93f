"""The way back: what to go back to, what comes back and what does not, and the page that asks for it."""
