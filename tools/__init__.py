"""What writes the texts that have numbers, from the committed tables."""
