"""The detector stage: Delphes cards, run without Delphes on whole batches of events."""

from resim.detector.detector import Detector

__all__ = ["Detector"]
