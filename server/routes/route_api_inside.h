/* route_api_inside.h - a request to /v1 between its submission and its answer: route_api*.c alone.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "routes/route_api.h"
#include "types/event.h"

/* A request that waits for the store. */
struct asked {
	const struct route_api_config *config;
	struct http_request *request;
	enum api_operation operation;
	int64_t offset;
	int64_t run; /* whose log is read, which has ended */
	bool is_ended;
	uint64_t who; /* as in seen */
	/* Of a status, until its health is known. */
	char *text;
	struct probe_target *targets;
	size_t n_targets;
};

/* Answers with words alone, where nothing is decided. */
void route_api_said(struct http_request *request, int status, const char *said);

/* An event's done(); asked: is freed by it, or when what it waits for is there. */
void route_api_decided(void *asked, const struct answer *decided);
