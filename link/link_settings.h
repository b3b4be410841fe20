/* link_settings.h - what deploybot-link is given, in a file and as words behind its use.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/env_file.h"

enum link_use { LINK_SERVE, LINK_RUNNER, LINK_AGENT, LINK_USE_COUNT };
extern const char *const link_uses[LINK_USE_COUNT];

/* name, the uses that have it (1 << LINK_SERVE …), what it is where it is not set ("": it must be) */
#define LINK_SETTINGS(S) \
	S(address, "LINK_ADDRESS", 1, ":9443") \
	S(socket, "LINK_SOCKET", 1, "/run/deploybot-link/server.sock") \
	S(servers, "LINK_SERVERS", 6, "") \
	S(runner_socket, "RUNNER_SOCKET", 6, NULL) \
	S(state, "STATE_DIRECTORY", 6, NULL) \
	S(ca, "LINK_CA_FILE", 7, "") \
	S(certificate, "LINK_CERTIFICATE_FILE", 7, "") \
	S(key, "LINK_KEY_FILE", 7, "") \
	S(heartbeat, "LINK_HEARTBEAT_S", 7, "25") \
	S(reconnect, "LINK_RECONNECT_S", 6, "30")

#define LINK_SERVERS_MAX 8
#define LINK_ADDRESS_MAX 264

struct link_address {
	char host[256]; /* "": any, of who listens */
	char port[6];
};

struct link_settings {
	enum link_use use;
#define S(member, name, uses, value) const char *member;
	LINK_SETTINGS(S)
#undef S
	int64_t heartbeat_ms, reconnect_ms;
	struct link_address listen;
	struct link_address dial[LINK_SERVERS_MAX];
	size_t dial_count;
	struct env_file file; /* of which the texts are */
};

/* file: NULL is none.  words: NAME=VALUE, which count more than the file.  False: *err names the
 * setting. */
bool link_settings_read(struct link_settings *ret, enum link_use use, const char *file,
    char *const words[], struct err *err) MUST_USE;
