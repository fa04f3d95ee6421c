"""What BigQuery refuses: each documented reason gives an error that says what to do."""

from types import SimpleNamespace

import pytest
from google.api_core import exceptions
from google.auth import exceptions as auth_exceptions
from google.cloud.bigquery.job.base import _error_result_to_exception
from google.rpc import error_details_pb2
from requests import exceptions as requests_exceptions

from loader.errors import AccessDenied, ConfigError, LoaderError, Unavailable
from loader.warehouse.bigquery.errors import is_transient, is_worth_retrying, reason_of, refused

# reason, status of a refused request, our error, whether it may pass, whether within a minute, fix
REASONS = [
    ("accessDenied", 403, AccessDenied, False, False, "grant what it names"),
    ("backendError", 500, Unavailable, True, True, "repeat the command"),
    ("backendError", 503, Unavailable, True, True, "repeat the command"),
    ("billingNotEnabled", 403, ConfigError, False, False, "enable billing"),
    ("billingTierLimitExceeded", 400, LoaderError, False, False, "fewer days"),
    ("blocked", 403, Unavailable, False, False, "Google's support"),
    ("bytesBilledLimitExceeded", 400, LoaderError, False, False, "maximum_bytes_billed"),
    ("duplicate", 409, LoaderError, False, False, "read what BigQuery says"),
    ("internalError", 500, Unavailable, True, True, "repeat the command"),
    ("invalid", 400, LoaderError, False, False, "read what BigQuery says"),
    ("invalidQuery", 400, LoaderError, False, False, "check the statement"),
    ("jobBackendError", 400, Unavailable, True, True, "repeat the command"),
    ("jobInternalError", 400, Unavailable, True, True, "repeat the command"),
    ("jobRateLimitExceeded", 400, Unavailable, True, True, "repeat the command"),
    ("notFound", 404, ConfigError, False, False, "project, datasets and location"),
    ("policyViolation", 403, AccessDenied, False, False, "grant what it names"),
    ("quotaExceeded", 403, Unavailable, True, False, "with the next run"),
    ("rateLimitExceeded", 403, Unavailable, True, True, "with the next run"),
    ("rateLimitExceeded", 429, Unavailable, True, True, "with the next run"),
    ("resourceInUse", 400, LoaderError, False, False, "read what BigQuery says"),
    ("resourcesExceeded", 400, LoaderError, False, False, "fewer days"),
    ("responseTooLarge", 403, LoaderError, False, False, "fewer days"),
    ("stopped", 400, LoaderError, False, False, "repeat the command"),
    ("tableUnavailable", 400, Unavailable, True, True, "repeat the command"),
    ("timeout", 400, LoaderError, False, False, "fewer days"),
]
SAID = "Something: table p:d.t is not\n as it should be"


@pytest.mark.parametrize(("reason", "status", "kind", "passes", "soon", "fix"), REASONS)
def test_a_refused_request_is_an_error_of_ours(reason, status, kind, passes, soon, fix):
    told = {"reason": reason, "message": SAID, "domain": "global"}
    problem = exceptions.from_http_status(status, "GET https://…: " + SAID, errors=[told])

    error = refused("load 7", problem, location="EU")

    assert type(error) is kind
    assert error.message.startswith("load 7: ")
    assert "Something: table p:d.t is not as it should be" in error.message
    assert "https://" not in error.message
    assert fix in error.fix
    assert (is_transient(problem), is_worth_retrying(problem)) == (passes, soon)


@pytest.mark.parametrize(("reason", "_status", "kind", "passes", "soon", "fix"), REASONS)
def test_a_job_that_failed_is_the_same_error(reason, _status, kind, passes, soon, fix):
    problem = _error_result_to_exception({"reason": reason, "message": SAID})

    error = refused("load 7", problem, location="EU")

    assert type(error) is kind
    assert fix in error.fix
    assert (is_transient(problem), is_worth_retrying(problem)) == (passes, soon)


def test_a_dataset_elsewhere_is_told_with_the_location_that_is_set():
    problem = exceptions.NotFound("Not found: Dataset p:raw was not found in location EU")

    error = refused("query", problem, location="EU")

    assert type(error) is ConfigError
    assert "(warehouse.location is EU)" in error.message


def test_a_bucket_elsewhere_is_told():
    problem = _error_result_to_exception(
        {
            "reason": "invalid",
            "message": "Cannot read and write in different locations: source: US, destination: EU",
        }
    )

    error = refused("load 7", problem)

    assert type(error) is ConfigError
    assert "staging_bucket" in error.fix


@pytest.mark.parametrize(
    ("problem", "kind", "passes", "fix"),
    [
        (auth_exceptions.DefaultCredentialsError("none found"), AccessDenied, False, "gcloud auth"),
        (auth_exceptions.RefreshError("invalid_grant"), AccessDenied, False, "gcloud auth"),
        (
            auth_exceptions.RefreshError("Unable to acquire impersonated credentials", "403 …"),
            AccessDenied,
            False,
            "serviceAccountTokenCreator",
        ),
        (auth_exceptions.TransportError("no route"), Unavailable, True, "repeat"),
        (auth_exceptions.RefreshError("503", retryable=True), Unavailable, True, "repeat"),
        (exceptions.Unauthorized("Invalid credentials"), AccessDenied, False, "gcloud auth"),
        (requests_exceptions.ConnectionError("cut"), Unavailable, True, "repeat"),
        (requests_exceptions.ReadTimeout("slow"), Unavailable, True, "repeat"),
        (ConnectionResetError("cut"), Unavailable, True, "repeat"),
        (exceptions.RetryError("Timeout of 120 s", None), Unavailable, True, "repeat"),
        (exceptions.Aborted("concurrent"), Unavailable, True, "repeat"),
        (exceptions.ResourceExhausted("quota"), Unavailable, True, "next run"),
        (exceptions.ServiceUnavailable("down"), Unavailable, True, "repeat"),
        (exceptions.PermissionDenied("no updateData"), AccessDenied, False, "grant what it names"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_credentials_networks_and_grpc(problem, kind, passes, fix):
    error = refused("load 7", problem)

    assert type(error) is kind
    assert fix in error.fix
    assert is_transient(problem) is passes


def test_an_api_that_is_off_says_which_to_enable_by_either_protocol():
    told = {"reason": "accessNotConfigured", "message": "BigQuery API has not been used"}
    by_rest = exceptions.Forbidden("x", errors=[told])
    info = error_details_pb2.ErrorInfo(reason="SERVICE_DISABLED", domain="googleapis.com")
    by_grpc = exceptions.PermissionDenied(
        "has not been used", errors=(SimpleNamespace(),), details=[info], error_info=info
    )

    for problem in (by_rest, by_grpc):
        error = refused("load 7", problem)

        assert type(error) is ConfigError
        assert "gcloud services enable bigquery.googleapis.com" in error.fix


def test_where_nothing_tells_a_reason_there_is_none():
    assert reason_of(ValueError("x")) == reason_of(exceptions.NotFound("x")) == ""


def test_who_gave_up_tells_what_the_last_answer_was():
    cause = requests_exceptions.ConnectionError("127.0.0.1:1: connection refused")
    problem = exceptions.RetryError("Timeout of 10.0s exceeded", cause)

    told = refused("query", problem)

    assert isinstance(told, Unavailable)
    assert "Timeout of 10.0s exceeded 127.0.0.1:1: connection refused" in told.message
