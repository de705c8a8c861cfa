"""The training card: one frozen model per section, checked when it is read."""
