# SPDX-License-Identifier: GPL-3.0-or-later
"""How often a publish asks the AYON server, by the access log of the demo server.

``python bench/ayon_publish.py [--json] [--quick] [--only TASK]``; the baseline is the number of
requests that may be, or those of the client's single calls.
"""

from __future__ import annotations

from rows import print_rows

if __name__ == "__main__":
    print_rows(__doc__, "ayon_publish_tasks", ("request_tasks", "batch_tasks"))
