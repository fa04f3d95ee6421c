"""The errors that Headwater raises on purpose, named for what to do about them."""


class LoaderError(Exception):
    """Base of all of ours: where, what was found, what was wanted, then one `Fix:` line."""

    exit_code = 1

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message}\n  Fix: {self.fix}" if self.fix else self.message


class ConfigError(LoaderError):
    """Something a person wrote is wrong (config, usage, a missing input): fix it and run again."""

    exit_code = 2


class Busy(LoaderError):
    """Another process does this very thing in this workspace: wait for it, then run again."""


class StorageError(LoaderError):
    """The disk refused (full, read-only, damaged): nothing was half-written; mend it and repeat."""


class Unavailable(LoaderError):
    """A service didn't answer in time or asked to wait; it is tried again by itself."""


class AccessDenied(LoaderError):
    """A service refused the credentials: renew the key, nothing is tried until then."""


class TransformFailed(LoaderError):
    """dbt reported a model or a test that failed; the published warehouse is as it was."""
