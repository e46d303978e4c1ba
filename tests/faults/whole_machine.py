"""The whole machine goes off in the middle of everything."""

import asyncio
import random

from faults.history import Outcome, some_files
from faults.site import Site


async def live_and_die(site: Site, chance: random.Random) -> None:
    """Uploads and deletes until, at a moment of chance, everything is killed at once. Servers come back."""
    programs = [site.api(), site.worker(), site.worker()]
    async with site.client(programs[0]) as client:

        async def go_on() -> None:
            while True:
                uploaded = await client.upload(some_files(chance))
                if uploaded.outcome is Outcome.OK and chance.random() < 0.3:
                    await client.delete(uploaded.pgm_id)

        going_on = [asyncio.create_task(go_on()) for _ in range(2)]
        await asyncio.sleep(chance.uniform(0.3, 1.2))
        for program in programs:
            program.kill()
        site.servers.kill()
        for each in going_on:
            each.cancel()
        await asyncio.gather(*going_on, return_exceptions=True)
    await site.servers.start()
