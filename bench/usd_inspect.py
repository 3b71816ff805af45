# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking into large USD files beside the least that USD itself takes for it.

``python bench/usd_inspect.py [--json] [--quick] [--only TASK]``; ours and the peer run in turns in
one process, on freshly opened layers where opening counts.
"""

from __future__ import annotations

from rows import print_rows

if __name__ == "__main__":
    print_rows(__doc__, "usd_inspect_tasks", ("inspect_tasks",))
