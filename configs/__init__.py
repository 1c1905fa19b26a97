"""The YAML defaults of every `hiermap` verb, shipped as package data."""
