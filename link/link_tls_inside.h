/* link_tls_inside.h - what link_tls.c and link_tls_context.c have of OpenSSL in common.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <openssl/types.h>

#include "link/link_tls.h"

void link_tls_identity(X509 *certificate, struct link_identity *ret);
