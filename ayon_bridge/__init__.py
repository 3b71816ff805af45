# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishing: AYON entities, the local library, the AYON server."""
