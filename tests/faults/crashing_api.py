"""The product's API, its container wrapped: it ends, stops or goes on where the environment says."""

import os

from entrypoints import lifespan
from entrypoints.api import main as api
from faults.faulty_container import Faults


def main() -> None:
    vars(api)["opened"] = Faults.from_environment(os.environ).around(lifespan.opened, is_api=True)
    api.main()
