"""The product's container in the process of a test, on the stores of a site."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.queue.redis_pool import opened_redis
from entrypoints import lifespan
from entrypoints.container import Container
from entrypoints.settings import read_settings
from faults.faulty_container import Faults
from faults.site import Site


@asynccontextmanager
async def a_container(site: Site) -> AsyncIterator[Container]:
    """A worker's."""
    settings = read_settings(site.settings)
    opened = Faults.from_environment(site.settings).around(lifespan.opened, is_api=False)
    async with opened_redis(settings.redis_url) as redis, opened(settings, redis) as container:
        yield container
