"""The mathematics: networks, learning rules, training. Imports no other room of the package."""
