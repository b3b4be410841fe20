/* manifest.h - what root has put on this host for the agent to start, with digests.  Side: agent. */
/* SPDX-License-Identifier: ISC */
/*
 * A capability is the name of an action of server/types/action.def whose executor is HOST; its unit
 * is /etc/systemd/system/deploybot-do-NAME.service.  It is one process that systemd watches to its
 * end: Type=oneshot, RemainAfterExit=no, Restart=no, and its whole control group ends with it.
 */
#pragma once

#include "agent/systemd.h"
#include "agent/unit_file.h"
#include "lib/buf.h"
#include "runner/protocol.h"

#define MANIFEST_CAPABILITIES 5
#define MANIFEST_UNIT	      80 /* bytes of a unit's name, and NUL */

extern const char *const manifest_names[MANIFEST_CAPABILITIES]; /* sorted */

struct manifest {
	char digests[MANIFEST_CAPABILITIES][UNIT_FILE_DIGEST]; /* "": it cannot be ordered here */
	char whole[UNIT_FILE_DIGEST]; /* SHA-256 of its lines `NAME DIGEST\n` */
};

/* "deploybot-do-NAME.service".  Returns out. */
const char *manifest_unit(const char *name, char out[MANIFEST_UNIT]);

/* Looks at one capability: its digest, and its unit as systemd has it, which systemd_unit_done()
 * frees.  ERR_MISSING: root has put none there; else why it cannot be ordered. */
bool manifest_look(struct systemd *systemd, const char *name, char ret[UNIT_FILE_DIGEST],
    struct systemd_unit *unit, struct err *err) MUST_USE;

/* Looks at all of them; what cannot be ordered is not in it.  Fails where systemd does. */
bool manifest_make(struct systemd *systemd, struct manifest *ret, struct err *err) MUST_USE;

/* Where it stands; MANIFEST_CAPABILITIES: it is none of this host. */
size_t manifest_find(const struct manifest *manifest, const char *name);

/* For hello; and for refused, as NAME=DIGEST NAME=DIGEST. */
void manifest_tell(const struct manifest *manifest, struct protocol_message *hello);
void manifest_list(const struct manifest *manifest, char *out, size_t room);
