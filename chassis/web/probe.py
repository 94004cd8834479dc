"""Asks a process of ours how it is, as the health check of a container does: `python -I -S chassis/web/probe.py URL`.

Run as a file and by sockets alone: that costs half the CPU of an interpreter that imports an HTTP client, and a
platform asks each container every few seconds. Ends with 0 when the answer is 200, else with 1 and what was said.
"""

import socket
import sys

_PATIENCE_SECONDS = 2.5
_ANSWER_BYTES = 4096  # an answer that is not 200 names what is in the way; the beginning of it will do


def ask(url: str) -> str:
    """What is wrong with the process that answers at `url` (http://host:port/path); empty when nothing is."""
    address, _, path = url.removeprefix("http://").partition("/")
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), _PATIENCE_SECONDS) as connection:
            connection.sendall(f"GET /{path} HTTP/1.0\r\nHost: {address}\r\n\r\n".encode())
            answer = connection.makefile("rb").read(_ANSWER_BYTES).decode(errors="replace")
    except (OSError, ValueError) as error:
        return f"{url}: {error}"
    status = answer.partition("\r\n")[0].split(" ")
    return "" if status[1:2] == ["200"] else f"{url}: {answer}"


if __name__ == "__main__":
    reason = ask(sys.argv[1])
    sys.stdout.write(reason)
    sys.exit(1 if reason else 0)
