"""The product's worker, its container wrapped: it ends, stops or goes on where the environment says."""

import os
from time import time

from arq import connections
from arq import worker as arq_worker

from entrypoints import lifespan, worker
from faults.faulty_container import Faults


def main() -> None:
    faults = Faults.from_environment(os.environ)
    vars(worker)["opened"] = faults.around(lifespan.opened, is_api=False)
    if faults.lease_s:
        vars(worker)["BEGUN_JOBS_STAY_S"] = faults.lease_s
    if faults.clock_s:

        def timestamp_ms() -> int:
            return int((time() + faults.clock_s) * 1_000)

        vars(connections)["timestamp_ms"] = vars(arq_worker)["timestamp_ms"] = timestamp_ms
    worker.main()
