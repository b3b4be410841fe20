/* link_serve.h - the server's side: hosts connect, each is checked, and its packets go to the server.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "link/link_settings.h"
#include "link/link_tls.h"

/* Returns where it cannot begin. */
bool link_serve(const struct link_settings *settings, struct ssl_ctx_st *context, struct err *err)
    MUST_USE;
