# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's data read into plain records, prepared and exported.

Everything here runs in a Blender process of its own on a copy of the artist's
file, so it may change that copy freely. Nothing here keeps a depsgraph, an
evaluated object or an array view across a ``yield``.
"""
