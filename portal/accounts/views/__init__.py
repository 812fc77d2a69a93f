"""Pages of people: the door, one's own things, and the administration."""
