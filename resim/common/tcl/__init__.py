"""The part of Tcl that Delphes cards use, in Python, with limits on steps, depth, sizes and numbers."""
