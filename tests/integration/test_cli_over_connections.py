"""The commands over real connections: a stream that is followed while it goes on, and Ctrl-C in another process."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from builders.served import served
from builders.service import Service, a_service
from entrypoints.cli.following import progress
from entrypoints.cli.service import connected


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    return await a_service(tmp_path)


async def test_an_indexing_is_told_while_it_goes_on(service: Service) -> None:
    await service.register()
    async with served(service) as (client, _), connected(str(client.base_url)) as commands:
        steps = progress(commands, "PGM_1")
        async with asyncio.timeout(20):
            first = await anext(steps)
            await service.work()
            rest = [step async for step in steps]
    assert (first["done"], rest[-1]["done"], rest[-1]["status"]) == (1, 4, "indexed")
    assert "counts" not in first, "it was asked for, not told"


async def test_ctrl_c_at_a_terminal_leaves_the_upload_accepted(service: Service) -> None:
    files = (str(service.upload.ladder_zip.path), str(service.upload.template.path))
    async with served(service) as (client, _):
        words = ("-m", "entrypoints.cli.main", "upload", *files, "--url", str(client.base_url))
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=pipe, stderr=pipe)
        assert process.stderr
        try:
            async with asyncio.timeout(30):
                told = [await process.stderr.readline()]
                while not told[-1].startswith(b"indexing"):
                    told.append(await process.stderr.readline())
                process.send_signal(signal.SIGINT)
                _, rest = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
    assert process.returncode == 130
    assert "PGM_1 stays accepted" in rest.decode()
    assert list(service.registry.committed.programs) == ["PGM_1"]
