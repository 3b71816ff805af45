# SPDX-License-Identifier: GPL-3.0-or-later
"""Version of the addon."""

__version__ = "0.1.0"
