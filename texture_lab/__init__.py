# SPDX-License-Identifier: GPL-3.0-or-later
"""Textures: requests, backends, maps."""
