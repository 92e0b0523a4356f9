"""How results look: style and statistics. Knows no figure."""
