"""The one error of the host that a person is to read: something in the app or its settings is wrong.

Raised while the app is read, before any trigger runs; `__main__` prints its message and exits with 1.
"""


class HostError(Exception):
    """The app cannot be hosted. The message says where the mistake is and what to do about it."""
