# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry points for ``blender -b -P`` and the developer's tools."""
