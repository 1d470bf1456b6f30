"""Lines of nginx's access log, and what is none. One test has nginx write them."""

import json
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resformer.scripts.monitor import access_log
from resformer.scripts.monitor.access_log import ROUTES, Access, AccessLogError, parse_access, route_of
from resformer.scripts.monitor.log_receiver import LogReceiver
from resformer.scripts.monitor.nginx_status import NginxStatus, ask_nginx

LINE = {
    "time": "2026-11-29T02:00:00+00:00",
    "id": "0123456789abcdef",
    "caller": "10.0.0.7",
    "method": "PUT",
    "path": "/predictions/resformer",
    "status": "200",
    "bytes_in": "250123",
    "bytes_out": "800",
    "seconds": "0.061",
    "upstream_seconds": "0.060",
    "upstream_status": "200",
}


def datagram(**changes: object) -> bytes:
    return b"<190>Nov 29 02:00:00 resformer: " + json.dumps({**LINE, **changes}).encode()


def test_a_line_in_full() -> None:
    assert parse_access(datagram()) == Access("predictions", "200", 0.061, 250123, True)


def test_numbers_may_be_bare() -> None:
    assert parse_access(datagram(status=200, bytes_in=250123, seconds=0.061)) == parse_access(datagram())


@pytest.mark.parametrize(
    "path, route",
    [
        ("/predictions/resformer/1.0/width?x=1", "predictions"),
        ("/models/resformer", "management"),
        ("/org.pytorch.serve.grpc.inference.InferenceAPIsService/Predictions", "grpc"),
        ("/live", "live"),
        ("/ready?verbose", "ready"),
        ("/metrics", "metrics"),
        ("/predictionsX", "other"),
        ("/wp-admin/x.php", "other"),
        ("//predictions/resformer", "predictions"),
        ("", "other"),
    ],
)
def test_routes(path: str, route: str) -> None:
    assert route_of(path) == route


@pytest.mark.parametrize(
    "status, counted", [("499", "499"), ("000", "000"), (0, "000"), ("201", "201"), ("799", "other"), ("x", "other")]
)
def test_statuses_are_a_bounded_set(status: object, counted: str) -> None:
    assert parse_access(datagram(status=status)).status == counted


def test_without_an_upstream() -> None:
    assert not parse_access(datagram(upstream_status="-", status="401")).upstream


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"<190>Nov 29 02:00:00 resformer: hello",
        b'{"status": 200}',
        b"{" * 100_000,
        b"[1]",
        datagram()[:-30],
        datagram(seconds="nan"),
        datagram(seconds="inf"),
        datagram(seconds="-1"),
        datagram(seconds=None),
        datagram(bytes_in="many"),
        datagram(bytes_in=-5),
    ],
)
def test_what_is_no_line(bad: bytes) -> None:
    with pytest.raises(AccessLogError):
        parse_access(bad)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200), st.dictionaries(st.sampled_from(sorted(LINE)), st.text() | st.integers() | st.floats()))
def test_nothing_else_is_raised_and_no_other_labels_come_out(noise: bytes, changes: dict[str, object]) -> None:
    for sent in (noise, datagram(**changes)):
        try:
            access = parse_access(sent)
        except AccessLogError:
            continue
        assert access.route in {*ROUTES.values(), "other"}
        assert access.status in access_log.STATUSES | {"other"}


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed: make nginx")
def test_nginx_writes_what_is_parsed(folder: Path) -> None:
    text = access_log.__doc__ or ""
    log_format = text[text.index("log_format") : text.index("access_log syslog")]
    (folder / "nginx.conf").write_text(
        f"""
        daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
        events {{}}
        http {{
            {log_format}
            access_log syslog:server=unix:{folder}/access.sock,nohostname,tag=resformer monitor;
            client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
            uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
            server {{
                listen unix:{folder}/nginx.sock;
                location /predictions/ {{ return 401; }}
                location = /nginx_status {{ stub_status; access_log off; }}
            }}
        }}
        """
    )
    datagrams: list[bytes] = []
    stop = threading.Event()
    receiver = threading.Thread(target=LogReceiver(folder / "access.sock", datagrams.append).run, args=(stop,))
    receiver.start()
    (folder / "access.sock").chmod(0o666)  # nginx's workers may be another user
    folder.chmod(0o755)
    nginx = subprocess.Popen(["nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", "nginx.conf"])
    try:
        deadline = time.monotonic() + 30
        while not (folder / "nginx.sock").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(folder / "nginx.sock"))
            caller.sendall(b'PUT /predictions/a%22b"c HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc')
            assert b" 401 " in caller.recv(1000)
        while not datagrams and time.monotonic() < deadline:
            time.sleep(0.02)
        access = parse_access(datagrams[0])
        assert (access.route, access.status, access.upstream) == ("predictions", "401", False)
        assert ask_nginx(folder / "nginx.sock") == NginxStatus(requests=2, reading=0, writing=0, waiting=0)
    finally:
        nginx.terminate()
        nginx.wait(10)
        stop.set()
        receiver.join()
