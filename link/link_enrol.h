/* link_enrol.h - the one connection without a client's certificate: a host enrols by a code.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * The ALPN deploybot-enrol/1 asks for it.  One frame of channel 0 to the server, "agent ID MAC", a
 * newline and a request for a certificate (PEM); one back: "yes MAC ORDER-KEYS", a newline and
 * certificates, the host's own first, then the authority's; or "no WHY".  Each MAC is over all
 * behind it, by the code, which is not sent (lib/enrol_code.h).  The host then closes it.
 */
#pragma once

#include "link/link_socket.h"
#include "link/link_tls.h"

#define LINK_ENROL_ALPN "\x11" "deploybot-enrol/1" /* with its length, as it is sent */
#define LINK_ENROL_MAX	4096 /* bytes of what a host sends */

/* Who asks for it shows no certificate: of a server's context. */
void link_enrol_allow(struct ssl_ctx_st *context);
/* Has the other side of an open connection asked for it? */
bool link_enrol_is_asked(const struct link_tls *tls) MUST_USE;
/* Hands it to the server, under that number; too large a packet ends the connection. */
void link_enrol_ask(struct link_tls *tls, const struct link_frame *frame,
    struct link_socket *server, int64_t request, const char *address);
void link_enrol_refuse(struct link_tls *tls, const char *why);
