# SPDX-License-Identifier: GPL-3.0-or-later
"""USD stages: write, structure, inspect, check, compare."""
