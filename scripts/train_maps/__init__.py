# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains the network of ``texture_lab.maps_network``: materials and photos made on the device.

Needs torch, CUDA where present; never part of the extension. See docs/maps-network.md.
"""
