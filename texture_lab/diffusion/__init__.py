# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of local models, by a Python of the artist's that has torch and diffusers."""
