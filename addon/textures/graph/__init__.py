# SPDX-License-Identifier: GPL-3.0-or-later
"""The Texture Lab as a node editor: the steps of ``texture_lab.graph`` as Blender's nodes."""
