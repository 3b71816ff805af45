# SPDX-License-Identifier: GPL-3.0-or-later
"""AYON in the sidebar: publish."""
