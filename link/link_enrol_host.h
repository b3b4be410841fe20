/* link_enrol_host.h - a host enrols by a code: key, certificate, settings of link and of who executes.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct link_enrolment {
	const char *role;	 /* agent or runner */
	const char *server;	 /* HOST:PORT */
	const char *code;
	const char *fingerprint; /* SHA-256 of the server's public key, in hex */
	const char *folder;	 /* where all is written; NULL: where the units look for it */
};

/* Writes link.key (its owner is the unit's user, unless a folder was given), ca.crt, agent.conf or
 * runner.conf, link.conf and, last, link.crt.  Where there is that one, nothing is done; a key that
 * is there without it is one whose command has failed, and is used again.  Says what comes next. */
bool link_enrol_host(const struct link_enrolment *what, struct err *err) MUST_USE;
