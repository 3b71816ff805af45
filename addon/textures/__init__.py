# SPDX-License-Identifier: GPL-3.0-or-later
"""The Texture Lab: from words to a material on the active object."""
