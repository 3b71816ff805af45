# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``scripts/dev.py`` does, one concept per module; standard library only."""
