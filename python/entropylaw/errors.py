"""The one exception that callers need to know."""


class EntropyLawError(ValueError):
    """Input, parameters or files that a user can mend; the message says where, what was found and what to do."""
