"""Repeatable measurements, each with a peer or a limit beside it."""
