"""The benchmark of viewers, small: nothing here looks at a speed."""

from __future__ import annotations

import contextlib
import math
import os
import socket
import threading

import pytest

from tests.bench.viewers.measure import ALONE, WAYS, figures, measure_viewers, percentile
from tests.bench.viewers.watch import Watch, watch


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_every_way_serves_its_viewers() -> None:
    """Catches: a benchmark that no longer runs, a reader that takes a piece for a snapshot."""
    found, details = measure_viewers(20, 1, lambda _: None, settle=0.5, seconds=2.5, least=1)
    assert details.keys() == {*WAYS, ALONE}
    for runs in details.values():
        (run,) = runs
        assert run["lost"] == 0
        assert run["updates"] > 0
        assert 0 < run["p50"] <= run["p99"] < math.inf
    plain, packed = details["stream"][0], details["stream, gzip"][0]
    assert packed["bytes_per_snapshot"] * 3 < plain["bytes_per_snapshot"]
    assert plain["bytes_per_snapshot"] > 50_000
    assert all(figure.value is not None for figure in found)


def test_a_viewer_waits_for_a_snapshot_that_comes_after_the_time() -> None:
    """Catches: a slow machine on which a server that serves is taken for one that does not."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        serving = threading.Thread(target=_serve, args=[server], daemon=True)
        serving.start()
        port: int = server.getsockname()[1]
        seen = watch(Watch(os.getpid(), port, "/", 1, settle=0, seconds=0, least=1, gzip=False, core=0))
        serving.join(60)
    assert seen.counts[0] > 0
    assert seen.lost == 0
    assert not serving.is_alive()


def _serve(server: socket.socket) -> None:
    """Sends snapshots until the viewer has left."""
    connection, _ = server.accept()
    body = b"event: snapshot\nid: one-1-1700000000000\ndata: {}\n\n".ljust(300)
    with connection, contextlib.suppress(ConnectionError):
        connection.recv(4_096)
        connection.settimeout(0.05)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        left = None
        while left is None:
            connection.sendall(b"%x\r\n%b\r\n" % (len(body), body))
            with contextlib.suppress(TimeoutError):
                left = connection.recv(1)


def test_a_percentile_that_nobody_reached_is_not_met() -> None:
    """Catches: a server that sends nothing and is never late."""
    assert percentile([], 0.99) == float("inf")
    assert [percentile([3.0, 1.0, 2.0], share) for share in (0.01, 0.5, 0.99)] == [1.0, 2.0, 3.0]
    run = {"p50": 0.1, "p99": float("inf"), "updates": 0.0, "bytes_per_snapshot": 1.0, "server_cpu": 0.1, "lost": 0}
    assert [figure.met for figure in figures(5, {"stream": [run]})] == [False, None, False, None]
