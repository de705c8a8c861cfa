"""Parton shower and hadronization with Pythia 8."""
