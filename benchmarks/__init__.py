"""How fast the kernels are, and next to what."""
