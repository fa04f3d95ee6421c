"""Binds the port and keeps the workers alive."""

import ctypes
import gc
import os
import resource
import signal
import socket
import time
import traceback
from types import FrameType
from typing import Final

import uvloop

from loader.collector.keys import read_keys
from loader.collector.metrics import SharedCounters
from loader.collector.tokens import TokenIssuer, load_signing_key
from loader.collector.worker import Worker, log
from loader.config import Config, Workspace
from loader.errors import ConfigError

_BACKLOG: Final = 2048
_OBJECTS_TO_COLLECT: Final = 20_000
_PAUSE_SECONDS: Final = 1.0  # before a worker that ended by itself is started anew
_PR_SET_PDEATHSIG: Final = 1
_STOPPING: Final = (signal.SIGTERM, signal.SIGINT)


def collect(workspace: Workspace, *, host: str, port: int, workers: int) -> None:
    """Serve Segment's HTTP API until SIGTERM or SIGINT.

    On return everything that was acknowledged lies in sealed segments. Raises ConfigError if the
    port can't be had, or a write key's variable is not set.
    """
    settings = workspace.config
    keys = read_keys(settings)
    workspace.spool.mkdir(parents=True, exist_ok=True)
    tokens = TokenIssuer(_oauth_clients(settings), load_signing_key(workspace.home / "token.key"))
    listener = _listen(host, port)
    _allow_many_files()
    counters = SharedCounters(workers, settings.sources)
    fleet = [
        Worker(workspace, number, workers=workers, keys=keys, tokens=tokens, counters=counters)
        for number in range(workers)
    ]
    gc.freeze()  # what is there from the start is never garbage, and requests leave hardly any
    gc.set_threshold(_OBJECTS_TO_COLLECT)
    log(f"collect.ready url={_url_of(listener)} workers={workers}")
    if workers == 1:
        uvloop.run(fleet[0].serve(listener))
    else:
        _supervise(fleet, listener)
    log("collect.stopped")


def _supervise(fleet: list[Worker], listener: socket.socket) -> None:
    """Fork the workers, start anew who ends by itself, and stop all when told to."""
    running: dict[int, Worker] = {}
    is_stopping = False

    def start(worker: Worker) -> None:
        # A signal between the fork and the note of it would pass the new worker by.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
        if not is_stopping:
            running[_fork(worker, listener)] = worker
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal is_stopping
        is_stopping = True
        listener.close()  # or clients would wait for somebody to accept them
        for process in running:
            os.kill(process, signal.SIGTERM)

    for number in _STOPPING:
        signal.signal(number, stop)
    for worker in fleet:
        start(worker)
    while running:
        process, status = os.wait()
        worker = running.pop(process)
        if not is_stopping:
            log(f"collect.worker_ended code={os.waitstatus_to_exitcode(status)}")
            time.sleep(_PAUSE_SECONDS)
            start(worker)


def _fork(worker: Worker, listener: socket.socket) -> int:
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        for number in _STOPPING:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        # Should the parent be killed, the port must be free for the next one.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == parent:
            uvloop.run(worker.serve(listener))
            code = 0
    except Exception:  # noqa: BLE001 - it ends this process, and is to be seen
        traceback.print_exc()
    finally:
        os._exit(code)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as problem:
        raise ConfigError(
            f"can't listen on {host}, port {port}: {problem.strerror}",
            fix="stop what listens there, or choose another with --host and --port",
        ) from problem
    listener.settimeout(0)
    return listener


def _url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _allow_many_files() -> None:
    """A connection is a file: take as many as this user may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _oauth_clients(settings: Config) -> dict[str, tuple[str, str]]:
    """The source and the public key (PEM) that each OAuth client id stands for."""
    clients: dict[str, tuple[str, str]] = {}
    for name, source in settings.sources.items():
        if source.oauth is None:
            continue
        client = source.oauth.client_id.reveal()
        if client in clients:
            raise ConfigError(
                f"headwater.yml: sources.{name}.oauth.client_id: the same as that of"
                f" {clients[client][0]!r}",
                fix="give each source a client id of its own",
            )
        clients[client] = (name, source.oauth.public_key.reveal())
    return clients
