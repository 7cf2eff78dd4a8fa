"""The version of this package, which is that of halfopen."""

__version__ = "0.1.0"
