# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials with known maps and photos of them, to measure what is estimated from a photo.

Two sets, neither of them ever used to train a network or to choose between two: ``held_out``
(procedural patterns of their own, photographed here) and ``cycles`` (Blender's shader nodes,
photographed by Cycles). Nothing in ``scripts/train_maps`` may import them.
"""
