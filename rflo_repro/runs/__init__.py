"""Running many realisations and writing them down. Knows no figure."""
