# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs of the command line, a module for each group."""
