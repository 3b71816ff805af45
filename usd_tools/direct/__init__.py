# SPDX-License-Identifier: GPL-3.0-or-later
"""The direct writer: plain records of a scene, authored into layers one by one.

``addon.scene.stream`` reads the records from Blender; nothing here knows
Blender. Specs are made in the order of the records, field by field, so that
equal records give equal bytes.
"""
