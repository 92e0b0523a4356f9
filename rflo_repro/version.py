"""The version of the package, as pyproject.toml has it."""

VERSION = "1.0.0"
