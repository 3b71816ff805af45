# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work: its events, its errors, its drivers and the child process."""
