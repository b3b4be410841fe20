/* http_server_aid.h - a server with a few routes, and clients that send it bytes.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * Its routes: /echo answers with the body it was sent (JSON, 900 bytes at most), or with none to a
 * GET; /later and /soon (within 30 ms) keep their request in `kept`; /huge does so up to 100 MB,
 * and /streamed, which gathers nothing; /below/ is all that is below it; /keyed refuses at once
 * whoever has no X-Key.  All bodies together have 1,000 bytes of memory.
 */
#pragma once

#include "lib/http_server.h"
#include "lib/loop.h"
#include "unit.h"
#include "until.h"

#define KEPT_MAX 8
#define POST_ECHO "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"

/* The other end of a connection. */
struct connection {
	struct loop_io io;
	int fd;
	char in[8192];
	size_t size;
	bool is_closed;
};

struct server_aid {
	int refused_count, refused_status; /* by the server itself */
	struct loop *loop;
	struct http_server *server;
	struct loop_timer patience;
	bool is_over;
	struct http_request *kept[KEPT_MAX];
	size_t kept_count;
	size_t piece_bytes;
	unsigned users_freed;
	char seen[256];
	struct connection peer;
	struct connection second;
};

int server_aid_set_up(void **state);
int server_aid_tear_down(void **state);
#define SERVER_TEST(name) \
	TEST_OF(name, struct server_aid *f, server_aid_set_up, server_aid_tear_down)
/* The routes above; its server may be started with other limits. */
struct http_server_config server_aid_config(struct server_aid *f);
void server_aid_start(
    struct server_aid *f, const struct http_server_config *config, const char *where);
/* ... and `peer` is there; server_aid_start_and_call: as it is. */
void server_aid_start_with(struct server_aid *f, const struct http_server_config *config);
void server_aid_start_and_call(struct server_aid *f);

void peer_call(struct server_aid *f, struct connection *peer); /* connects */
void peer_watch(struct server_aid *f, struct connection *peer); /* has connected by itself */
void peer_say(struct connection *peer, const void *text, size_t size);
#define SAY(peer, text) peer_say((peer), (text), sizeof(text) - 1)
void peer_post(struct connection *peer, const char *path, size_t size); /* so many letters */
bool peer_has_answer(const struct connection *peer);
void peer_hang_up(struct connection *peer);
