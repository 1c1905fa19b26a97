"""Where it acts or imagines."""
