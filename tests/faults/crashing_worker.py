"""The product's worker, its container wrapped: it ends, stops or goes on where the environment says."""

import os

from entrypoints import lifespan, worker
from faults.faulty_container import Faults


def main() -> None:
    faults = Faults.from_environment(os.environ)
    vars(worker)["opened"] = faults.around(lifespan.opened, is_api=False)
    if faults.lease_s:
        vars(worker)["BEGUN_JOBS_STAY_S"] = faults.lease_s
    worker.main()
