"""Running many jobs and writing them down. Knows no figure."""
