"""A filter of cosmic-ray, which `ci/mutation` runs where cosmic-ray is installed.

Leaves out of a session the mutants whose job ids stand on standard input, one on a line.
"""

import sys

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import WorkerOutcome, WorkResult

with use_db(sys.argv[1], WorkDB.Mode.open) as session:
    for job in sys.stdin.read().split():
        session.set_result(job, WorkResult(WorkerOutcome.SKIPPED))
