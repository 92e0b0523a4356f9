"""What goes across figures."""
