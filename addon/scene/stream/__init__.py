# SPDX-License-Identifier: GPL-3.0-or-later
"""The evaluated scene as a stream of records for ``usd_tools.direct``.

One module for each kind of thing. Arrays are read by ``foreach_get``; nothing
of Blender's is kept from one record to the next, so objects may be edited or
deleted while the stream is consumed.
"""
