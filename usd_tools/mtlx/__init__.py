# SPDX-License-Identifier: GPL-3.0-or-later
"""MaterialX: documents and USD's networks of its nodes, read, written and judged."""
