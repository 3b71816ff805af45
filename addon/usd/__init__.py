# SPDX-License-Identifier: GPL-3.0-or-later
"""USD in the sidebar: export, and what the checks found."""
