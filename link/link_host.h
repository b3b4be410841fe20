/* link_host.h - a host's side: connects to each server, and passes packets to its runner.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "link/link_settings.h"
#include "link/link_tls.h"

/* Returns where it cannot begin.  context and name are as link_tls_context() gives them. */
bool link_host(const struct link_settings *settings, struct ssl_ctx_st *context, const char *name,
    struct err *err) MUST_USE;
