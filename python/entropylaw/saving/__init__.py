"""Writing selections and tables: which files, in which order, what is in them."""

from entropylaw.saving.plan import Saving

__all__ = ["Saving"]
