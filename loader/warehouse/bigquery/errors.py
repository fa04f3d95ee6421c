"""What BigQuery refuses, as our errors: where, what it said, and what a person does about it."""

from typing import Final

from google.api_core import exceptions
from google.auth import exceptions as auth_exceptions
from requests import exceptions as requests_exceptions

from loader.errors import AccessDenied, ConfigError, LoaderError, Unavailable

ROLES: Final = "docs/how-to/bigquery.md lists the roles"
# By their reasons: https://cloud.google.com/bigquery/docs/error-messages
_LATER: Final = frozenset(
    {"backendError", "internalError", "jobBackendError", "jobInternalError", "jobRateLimitExceeded"}
)
_QUOTA: Final = frozenset({"quotaExceeded", "rateLimitExceeded"})
REFUSALS: Final = (
    exceptions.GoogleAPIError,
    auth_exceptions.GoogleAuthError,
    requests_exceptions.RequestException,
    ConnectionError,
    TimeoutError,
)


def reason_of(problem: BaseException) -> str:
    """BigQuery's word for what was wrong, '' where there is none."""
    errors = getattr(problem, "errors", None) or [{}]
    return str(errors[0].get("reason", "")) if isinstance(errors[0], dict) else ""


def is_transient(problem: BaseException) -> bool:
    """Whether the same request may well succeed a little later."""
    if isinstance(problem, exceptions.Forbidden | exceptions.TooManyRequests):
        return isinstance(problem, exceptions.TooManyRequests) or reason_of(problem) in _QUOTA
    if isinstance(problem, exceptions.GoogleAPICallError):
        passing = exceptions.ServerError | exceptions.Aborted
        return isinstance(problem, passing) or reason_of(problem) in _LATER
    lost = (
        requests_exceptions.RequestException,
        auth_exceptions.TransportError,
        exceptions.RetryError,
        ConnectionError,
        TimeoutError,
    )
    return isinstance(problem, lost)


def is_worth_retrying(problem: BaseException) -> bool:
    """Whether it may succeed within a minute or so: transient, and no quota of a whole day."""
    return is_transient(problem) and reason_of(problem) != "quotaExceeded"


def refused(where: str, problem: BaseException, *, location: str = "") -> LoaderError:
    """`problem`, which one of REFUSALS is, as an error of ours."""
    said, reason = _said(problem), reason_of(problem)
    if isinstance(problem, auth_exceptions.GoogleAuthError) and not is_transient(problem):
        return AccessDenied(
            f"{where}: no valid Google credentials: {said}",
            fix="run `gcloud auth application-default login`, or set warehouse.keyfile; "
            "docs/how-to/bigquery.md",
        )
    if reason in _QUOTA or isinstance(problem, exceptions.TooManyRequests):
        return Unavailable(
            f"{where}: BigQuery's quota is used up: {said}",
            fix="nothing is lost: it goes on by itself with the next run, once the quota allows",
        )
    if reason == "bytesBilledLimitExceeded":
        return LoaderError(
            f"{where}: {said}",
            fix="ask for fewer days or columns, or raise warehouse.maximum_bytes_billed",
        )
    if is_transient(problem):
        return Unavailable(
            f"{where}: BigQuery did not answer as it should: {said}",
            fix="nothing is lost: repeat the command, it takes up where it was",
        )
    if isinstance(problem, exceptions.Unauthorized | exceptions.Forbidden):
        return AccessDenied(f"{where}: {said}", fix=f"grant what it names; {ROLES}")
    if isinstance(problem, exceptions.NotFound):
        place = f" (warehouse.location is {location})" if location else ""
        return ConfigError(
            f"{where}: {said}{place}",
            fix="check warehouse.project, raw_dataset, dataset and location in headwater.yml",
        )
    return LoaderError(f"{where}: {said}", fix=f"read what BigQuery says above; {ROLES}")


def _said(problem: BaseException) -> str:
    """Its message without the address of the request, on one line."""
    errors = getattr(problem, "errors", None) or [{}]
    told = errors[0].get("message") if isinstance(errors[0], dict) else None
    return " ".join(str(told or getattr(problem, "message", None) or problem).split())[:600]
