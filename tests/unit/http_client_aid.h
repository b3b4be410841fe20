/* http_client_aid.h - a client, a server beside it in one loop, and what became of each call.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * Its routes, behind /SECRET, which no error may show: /hello; /never keeps its request in `kept`;
 * /elsewhere redirects to /hello; /much answers with 200 KB, /gone with 404; /take takes a body of
 * 8 MB at most.
 */
#pragma once

#include "lib/http_client.h"
#include "lib/http_server.h"
#include "lib/loop.h"
#include "unit.h"
#include "until.h"

#define SECRET "s3cr3t-in-the-path"

/* What became of one call. */
struct outcome {
	unsigned times;
	enum err_code code;
	int status;
	char text[240];
	char body[256];
	size_t body_size;
	char commit[64];
	int64_t total_ms;
};

struct client_aid {
	struct loop *loop;
	struct http_server *server;
	struct http_client *client;
	struct loop_timer patience;
	bool is_over;
	unsigned asked;
	struct http_request *kept[4];
	size_t kept_count;
	char seen[512];
	char *body;
	size_t body_size;
	size_t stream_left;
	char url[128];
};

int client_aid_set_up(void **state);
int client_aid_tear_down(void **state);
#define CLIENT_TEST(name) \
	TEST_OF(name, struct client_aid *f, client_aid_set_up, client_aid_tear_down)
void client_aid_start(struct client_aid *f, const struct http_client_config *config);

/* A GET of a route; what becomes of it goes into the outcome. */
struct http_client_request client_aid_request(
    struct client_aid *f, const char *path, struct outcome *outcome);
struct http_client_call *client_aid_get(
    struct client_aid *f, const char *path, struct outcome *outcome);

void client_aid_turn(struct client_aid *f); /* the loop, a few times */
