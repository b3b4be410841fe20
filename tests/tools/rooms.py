"""rooms.py - the top rooms of the product's C, for every tool beside it: a new room is a word here."""
# SPDX-License-Identifier: ISC
ROOMS = ("lib", "server", "runner", "judge", "agent", "link")
