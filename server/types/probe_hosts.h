/* probe_hosts.h - what hosts answered at their own health URLs, as one finding.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * A probe's hosts are names with a blank behind each, those of the next template behind a newline.
 */
#pragma once

#include "types/effect.h"
#include "types/event.h"

/* How many findings it has: one for each target, of a template one for each of its hosts. */
size_t probe_hosts_findings(const struct effect_probe *probe, const char *hosts);

/* "http://{host}:8080/healthz" for "h1:22", which ends with a blank or the text:
 * http://h1:8080/healthz; host NULL: the URL itself. */
const char *probe_hosts_url(const char *url, const char *host, char out[LIMIT_URL + LIMIT_HOST]);

/* One for each target; of a template its detail is "healthy on 11 of 12 (web7: 503)", its passes
 * and failures are hosts, and it is healthy where none of those that were asked is not.  free() it.
 * NULL: there are not as many. */
struct probe_finding *probe_hosts_collapse(
    const struct effect_probe *probe, const struct probed *probed) MUST_USE;
