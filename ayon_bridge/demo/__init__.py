# SPDX-License-Identifier: GPL-3.0-or-later
"""A demo AYON server: the part of AYON's REST and GraphQL interface that Stagewright speaks."""
