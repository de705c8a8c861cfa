"""An encoder and an objective for jetssl, a generator and a reader for resim."""
