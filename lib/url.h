/* url.h - which host an address names.  Knows no other part of it.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

#define URL_HOST  254 /* of DNS, with the NUL */
#define URL_PLACE (URL_HOST + sizeof(":65535") - 1)

/* The host of "https://HOST[:PORT][/…]", in lower case and without a dot at its end; "": it has
 * none, an address of IPv6, or one longer than a name may be.  url may be NULL.  Returns out. */
const char *url_host(const char *url, char out[URL_HOST]);

/* HOST[:PORT] as it is written, an address of IPv6 too, for people; "": it has none, or one that is
 * longer.  url may be NULL.  Returns out. */
const char *url_place(const char *url, char out[URL_PLACE]);

/* Is that host the domain, which is in lower case, or below it?  "notacme.example" is not below
 * "acme.example". */
bool url_host_is_in(const char *host, const char *domain);
