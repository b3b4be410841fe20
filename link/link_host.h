/* link_host.h - a host's side: connects to each server, and passes packets to its runner.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "link/link_settings.h"
#include "link/link_tls.h"

/* Returns where it cannot begin.  The context is as link_tls_context() gives it to a client, name as
 * there. */
bool link_host(const struct link_settings *settings, struct ssl_ctx_st *context, const char *name,
    struct err *err) MUST_USE;
