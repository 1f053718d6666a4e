"""Lets the host reach servers in a lab's control namespace, where the host has no leg.

A listening socket belongs to the namespace in which it was made, whoever accepts on it. So the lab listens on the host's 127.0.0.1
and hands the sockets to this process, which runs in the control namespace and connects on from there.
"""

import asyncio
import functools
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import paths, processes

LOOPBACK = "127.0.0.1"
CHUNK = 64 * 1024


def start(folder: Path, enter: Sequence[str], forwards: Mapping[int, int]) -> None:
    """Starts the process. `forwards` maps ports of the host's 127.0.0.1 to ports of the namespace's."""
    sockets = {socket.create_server((LOOPBACK, port), backlog=128): target for port, target in forwards.items()}
    try:
        words = [f"{listening.fileno()}={target}" for listening, target in sockets.items()]
        processes.start(
            folder, "gateway", [*enter, sys.executable, "-m", "lab.gateway", *words],
            env={"PYTHONPATH": str(paths.SOURCES.parent)}, keep_open=[listening.fileno() for listening in sockets])
    finally:
        for listening in sockets:
            listening.close()


async def serve(words: Sequence[str]) -> None:
    """Forwards until the process is ended. Each word is `FD=PORT`."""
    servers = []
    for word in words:
        descriptor, _, target = word.partition("=")
        forward = functools.partial(_forward, int(target))
        servers.append(await asyncio.start_server(forward, sock=socket.socket(fileno=int(descriptor)), limit=CHUNK))
    await asyncio.gather(*(server.serve_forever() for server in servers))


async def _forward(target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        onward_reader, onward_writer = await asyncio.open_connection(LOOPBACK, target)
    except OSError:  # nobody listens there: the caller sees its connection close
        writer.close()
        return
    await asyncio.gather(_copy(reader, onward_writer), _copy(onward_reader, writer))
    for side in (writer, onward_writer):
        side.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Passes on what comes until its end, and then the end."""
    try:
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except ConnectionError:  # either side broke off; the other one learns it by the closing that follows
        writer.close()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1:]))
