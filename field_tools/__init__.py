# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields: grids, SDFs, operators on numpy arrays."""
