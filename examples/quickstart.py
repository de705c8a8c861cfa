"""The whole path in about twenty calls, without a physics generator: mock pairs -> training -> probe.

    python examples/quickstart.py

With real events, replace the mock by `resim generate cards/generate/demo.yaml -o pairs.h5`.
"""
