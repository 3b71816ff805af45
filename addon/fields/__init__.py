# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields in the sidebar: signed distances between meshes, volumes and points."""
