"""What BigQuery refuses, as our errors: where, what it said, and what a person does about it."""

from typing import Final

from google.api_core import exceptions
from google.auth import exceptions as auth_exceptions
from requests import exceptions as requests_exceptions

from loader.errors import AccessDenied, ConfigError, LoaderError, Unavailable

ROLES: Final = "docs/how-to/bigquery.md lists the roles"
# By their reasons: https://cloud.google.com/bigquery/docs/error-messages
_LATER: Final = frozenset(
    {
        "backendError",
        "internalError",
        "jobBackendError",
        "jobInternalError",
        "jobRateLimitExceeded",
        "tableUnavailable",
    }
)
_QUOTA: Final = frozenset({"quotaExceeded", "rateLimitExceeded"})
_LESS: Final = "ask for fewer days or columns"
_APIS: Final = "bigquery.googleapis.com bigquerystorage.googleapis.com"
_FINAL: Final[dict[str, tuple[type[LoaderError], str]]] = {  # whatever the status is
    "bytesBilledLimitExceeded": (
        LoaderError,
        f"{_LESS}, or raise warehouse.maximum_bytes_billed",
    ),
    "invalidQuery": (LoaderError, "check the statement, or the model that it reads"),
    "billingTierLimitExceeded": (LoaderError, _LESS),
    "resourcesExceeded": (LoaderError, _LESS),
    "responseTooLarge": (LoaderError, _LESS),
    "timeout": (LoaderError, f"{_LESS}, or repeat the command"),
    "stopped": (LoaderError, "somebody cancelled the job: repeat the command"),
    "blocked": (Unavailable, "repeat the command later; if it stays so, ask Google's support"),
    "accessNotConfigured": (ConfigError, f"`gcloud services enable {_APIS}` for the project"),
    "SERVICE_DISABLED": (ConfigError, f"`gcloud services enable {_APIS}` for the project"),
    "billingNotEnabled": (ConfigError, "enable billing for warehouse.project"),
}
_ONE_PLACE: Final = (
    "warehouse.location has to be that of both datasets, of the dataset `headwater` and of "
    "staging_bucket"
)
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
    told = errors[0].get("reason") if isinstance(errors[0], dict) else None
    return str(told or getattr(problem, "reason", None) or "")


def is_transient(problem: BaseException) -> bool:
    """Whether the same request may well succeed a little later."""
    if isinstance(problem, exceptions.GoogleAPICallError):
        reason = reason_of(problem)
        if reason in _FINAL:  # the client tells some of them as a 500
            return False
        passing = exceptions.ServerError | exceptions.TooManyRequests | exceptions.Aborted
        return isinstance(problem, passing) or reason in _LATER | _QUOTA
    if isinstance(problem, auth_exceptions.GoogleAuthError):
        return isinstance(problem, auth_exceptions.TransportError) or problem.retryable
    lost = (
        requests_exceptions.RequestException,
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
    if reason in _FINAL:
        kind, fix = _FINAL[reason]
        return kind(f"{where}: {said}", fix=fix)
    if reason in _QUOTA or isinstance(problem, exceptions.TooManyRequests):
        return Unavailable(
            f"{where}: BigQuery's quota is used up: {said}",
            fix="nothing is lost: it goes on by itself with the next run, once the quota allows",
        )
    if is_transient(problem):
        return Unavailable(
            f"{where}: BigQuery did not answer as it should: {said}",
            fix="nothing is lost: repeat the command, it takes up where it was",
        )
    if isinstance(problem, auth_exceptions.GoogleAuthError | exceptions.Unauthorized):
        return _not_let_in(where, said)
    if isinstance(problem, exceptions.Forbidden):
        return AccessDenied(f"{where}: {said}", fix=f"grant what it names; {ROLES}")
    if "different location" in said:
        return ConfigError(f"{where}: {said}", fix=_ONE_PLACE)
    if isinstance(problem, exceptions.NotFound):
        place = f" (warehouse.location is {location})" if location else ""
        return ConfigError(
            f"{where}: {said}{place}",
            fix="check the name, and project, datasets and location in headwater.yml; "
            "`headwater status` lists the raw tables, `headwater transform` builds the marts",
        )
    return LoaderError(f"{where}: {said}", fix=f"read what BigQuery says above; {ROLES}")


def _not_let_in(where: str, said: str) -> AccessDenied:
    told = f"{where}: no valid Google credentials: {said}"
    if "impersonated" in said or "getAccessToken" in said:
        return AccessDenied(
            told,
            fix="grant roles/iam.serviceAccountTokenCreator on the account that "
            "warehouse.impersonate names, to whom your credentials are of",
        )
    return AccessDenied(
        told,
        fix="run `gcloud auth application-default login`, or set warehouse.keyfile; "
        "docs/how-to/bigquery.md",
    )


def _said(problem: BaseException) -> str:
    """Its message without the address of the request, on one line."""
    errors = getattr(problem, "errors", None) or [{}]
    told = errors[0].get("message") if isinstance(errors[0], dict) else None
    if isinstance(problem, exceptions.RetryError) and problem.cause is not None:
        told = f"{problem.message} {problem.cause}"  # by itself it tells no more than a time
    return " ".join(str(told or getattr(problem, "message", None) or problem).split())[:600]
