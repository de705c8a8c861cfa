"""Encoders and projectors, behind one interface."""
