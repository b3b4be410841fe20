/* link_settings.h - what deploybot-link is given, in a file of NAME=VALUE.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/env_file.h"

enum link_use { LINK_SERVE, LINK_RUNNER, LINK_AGENT, LINK_USE_COUNT };
extern const char *const link_uses[LINK_USE_COUNT];

#define LINK_CALLS_SOCKET "/run/deploybot-calls/calls.sock"
#define LINK_SERVERS_MAX 8

struct link_address {
	char host[256];
	char port[6];
};

struct link_settings {
	enum link_use use;
	const char *address, *socket, *calls, *servers, *runner_socket, *state;
	const char *ca, *certificate, *key, *renewed, *heartbeat, *reconnect;
	int64_t heartbeat_s, reconnect_s;
	struct link_address dial[LINK_SERVERS_MAX];
	size_t dial_count;
	struct env_file file; /* of which the texts are */
};

/* HOST:PORT or [ADDRESS]:PORT */
bool link_address_read(const char *text, size_t size, struct link_address *ret) MUST_USE;

/* False: *err names the setting. */
bool link_settings_read(struct link_settings *ret, enum link_use use, const char *file,
    struct err *err) MUST_USE;

static inline void
link_settings_done(struct link_settings *settings)
{
	env_file_done(&settings->file);
}
