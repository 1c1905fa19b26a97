"""Kitchens that somebody else wrote: a scene in MJCF, without a robot, becomes a place where ours looks and acts."""
