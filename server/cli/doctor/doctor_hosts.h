/* doctor_hosts.h - a health URL of each host asked once.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct doctor;
struct environment_settings;
struct http_client;

#define DOCTOR_HOSTS_MS 10000 /* for all of them, those that wait too */

/* One environment's. */
struct doctor_hosts {
	struct doctor_hosts *next; /* the caller's */
	struct http_client *client;
	const struct environment_settings *of;
	int64_t live; /* the number of the release that serves there; 0: none, as far as is known */
};

/* Asks each host that the database knows; NULL: there is none.  Its finding comes when the last one
 * has answered.  doctor_hosts_free() it behind the client. */
struct doctor_hosts *doctor_hosts_ask(
    struct doctor *doctor, const struct doctor_hosts *asking) MUST_USE;
void doctor_hosts_free(struct doctor_hosts *hosts); /* takes NULL, and all that are next */
