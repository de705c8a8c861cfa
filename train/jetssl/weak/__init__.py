"""Weak supervision: domains, noisy labels and who learns from them, mixed samples; the studies built from them."""
