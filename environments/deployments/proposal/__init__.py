"""From what is asked to what exactly would happen: read, render, compare, digest."""
