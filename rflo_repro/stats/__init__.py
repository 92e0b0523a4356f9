"""Statistics over networks, and the answer to a claim."""
