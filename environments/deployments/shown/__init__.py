"""What people read of a deployment: its words, its proposal, its progress, who owns what."""
