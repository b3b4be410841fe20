/* outbound_client.c - the HTTP client of a place that the server itself connects to.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/outbound_client.h"

struct http_client *
outbound_client(
    struct loop *loop, const void *outbound, unsigned at_once, unsigned waiting, struct err *err)
{
	return http_client_new(loop,
	    &(struct http_client_config){ .connections_max = at_once,
		.in_flight_max = at_once,
		.queue_max = waiting,
		.user_agent = "deploybot",
		.address_is_allowed = outbound_allows,
		.address_ctx = outbound },
	    err);
}
