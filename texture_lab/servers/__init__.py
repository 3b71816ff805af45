# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that make images or sentences: what they speak, and what can go wrong with them."""
