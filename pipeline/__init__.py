# SPDX-License-Identifier: GPL-3.0-or-later
"""The use cases that join the rooms, and the command line."""
