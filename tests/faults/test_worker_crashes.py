"""Workers that die: rows D1, D2, D4 and D5 of the fault matrix, and B1 to B3 on their relays."""

import random

from faults.campaigns import Campaign
from faults.checker import check
from faults.points import points_of
from faults.site import Site

SEED = 20261


async def test_workers_that_are_killed_at_every_step_lose_nothing_and_double_nothing(site: Site) -> None:
    """Every point of relay, worker and purge, three workers dying beside each other."""
    async with site.client(site.api()) as client:
        campaign = Campaign(site=site, client=client, chance=random.Random(SEED))
        points = points_of("relay", "worker", "purge")
        await campaign.run(points, at_once=3)
        assert set(campaign.crashes) == set(points)
        site.worker()
        await check(site.places, site.history)
        assert await campaign.duplicate_deliveries() > 0
