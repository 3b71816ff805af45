# SPDX-License-Identifier: GPL-3.0-or-later
"""Seeing inside USD files: the tree of prims, where opinions come from, layers, statistics."""
