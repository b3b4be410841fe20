/* manifest.h - what root has put on this host for the agent to start, with digests.  Side: agent. */
/* SPDX-License-Identifier: ISC */
/*
 * A capability is the name of an action of server/types/action.def whose executor is HOST; its unit
 * is /etc/systemd/system/deploybot-do-NAME.service.  It is a process that systemd watches to its
 * end: Type=oneshot, RemainAfterExit=no, Restart=no, and its whole control group ends with it.
 */
#pragma once

#include "agent/systemd.h"
#include "runner/protocol.h"

#define MANIFEST_UNIT 80 /* bytes of a unit's name, and NUL */

/* NAME, seconds that its order, or an act of a release, has at most.  `release` is no order: of
 * deploybot-do-release@.service each act is an instance (call.h). */
#define MANIFEST_RELEASE "release"
#define MANIFEST_CAPABILITIES(C) \
	C("clear-cache", 300) C("disk-free", 60) C(MANIFEST_RELEASE, 3600) C("reload-nginx", 60) \
	C("restart-web", 300) C("service-status", 60)

/* "deploybot-do-NAME.service"; for a look at `release` an instance of it.  Returns out. */
const char *manifest_unit(const char *name, char out[MANIFEST_UNIT]);

/* Looks at one capability: its unit as systemd has it, and the digest.  ERR_MISSING: root has put
 * none there; else why it cannot be ordered. */
bool manifest_look(struct systemd *systemd, const char *name, struct systemd_unit *unit,
    char digest[65], struct err *err) MUST_USE;

/* All that can be ordered, sorted by name, and fingerprint_digest() of them as a list. */
bool manifest_make(struct systemd *systemd, struct protocol_manifest *ret, struct err *err)
    MUST_USE;
/* NAME=DIGEST, with a blank between. */
#define MANIFEST_LIST (PROTOCOL_CAPABILITIES_MAX * (PROTOCOL_CAPABILITY + 66) + 1) /* with NUL */
void manifest_list(const struct protocol_manifest *manifest, char out[MANIFEST_LIST]);
/* The digest of that one; NULL: it is not among them. */
const char *manifest_find(const struct protocol_manifest *manifest, const char *name);
