# shellcheck shell=bash disable=SC2034 # variables go from file to file
# busy.sh - what docker says when a registry is busy, limits us or is slow; it passes on no Retry-After.
# SPDX-License-Identifier: ISC
# Sourced here, and carried to hosts with ssh-host/, whose images.sh pulls.

readonly BUSY_WORDS='toomanyrequests|(http|status|code):? ?(429|50[234])|(429|50[234]):? +(too many|bad gateway|service|gateway)|'\
'timeout|timed out|deadline exceeded'
