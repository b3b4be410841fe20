/* link_settings.c - what deploybot-link is given, in a file of NAME=VALUE.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "link/link_settings.h"

#include "lib/err.h"
#include "lib/http_listen.h"
#include "lib/text.h"

const char *const link_uses[LINK_USE_COUNT] = { "serve", "runner", "agent" };

/* Its default for each use; NULL: it must be set. */
static const struct row {
	const char *name;
	size_t offset;
	const char *value[LINK_USE_COUNT];
} rows[] = {
#define OF(member) offsetof(struct link_settings, member)
	{ "LINK_ADDRESS", OF(address), { ":9443", "", "" } },
	{ "LINK_SOCKET", OF(socket), { "/run/deploybot-link/server.sock", "", "" } },
	{ "LINK_CALLS", OF(calls), { LINK_CALLS_SOCKET, "", "" } },
	{ "LINK_SERVERS", OF(servers), { "", NULL, NULL } },
	{ "RUNNER_SOCKET", OF(runner_socket),
	    { "", "/run/deploybot-remote-runner/runner.sock",
		"/run/deploybot-agent/runner.sock" } },
	{ "STATE_DIRECTORY", OF(state),
	    { "", "/var/lib/deploybot-remote-runner", "/var/lib/deploybot-agent" } },
	{ "LINK_CA_FILE", OF(ca), { NULL, NULL, NULL } },
	{ "LINK_CERTIFICATE_FILE", OF(certificate), { NULL, NULL, NULL } },
	{ "LINK_KEY_FILE", OF(key), { NULL, NULL, NULL } },
	{ "LINK_RENEWED_FILE", OF(renewed),
	    { "", "/var/lib/deploybot-link/runner.pem", "/var/lib/deploybot-link/agent.pem" } },
	{ "LINK_HEARTBEAT_S", OF(heartbeat), { "25", "25", "25" } },
	{ "LINK_RECONNECT_S", OF(reconnect), { "30", "30", "30" } },
#undef OF
};

bool
link_address_read(const char *text, size_t size, struct link_address *ret)
{
	const char *colon = memrchr(text, ':', size);
	size_t host = colon == NULL ? size : (size_t)(colon - text);
	size_t brackets = host > 2 && text[0] == '[' && text[host - 1] == ']';
	int64_t number;

	if (colon == NULL || host == 0 || size - host > sizeof(ret->port) ||
	    host >= sizeof(ret->host))
		return false;
	*ret = (struct link_address){ 0 };
	memcpy(ret->port, colon + 1, size - host - 1);
	memcpy(ret->host, text + brackets, host - 2 * brackets);
	return text_to_i64(ret->port, 0, 65535, &number, NULL);
}

static bool
read_servers(struct link_settings *ret, struct err *err)
{
	size_t size;

	for (const char *at = ret->servers; *at != '\0'; at += size + (at[size] == ',')) {
		size = strcspn(at, ",");
		if (ret->dial_count == LINK_SERVERS_MAX ||
		    !link_address_read(at, size, &ret->dial[ret->dial_count++]))
			return err_set(err, ERR_CONFIG,
			    "LINK_SERVERS: at most %d of HOST:PORT, with commas between: %s",
			    LINK_SERVERS_MAX, at);
	}
	return true;
}

/* The same name in deploybot's settings is how hosts reach it. */
static bool
check_address(const struct link_settings *settings, struct err *err)
{
	struct link_address at;

	return settings->address[0] == '\0' || settings->address[0] == ':' ||
	    (link_address_read(settings->address, strlen(settings->address), &at) &&
		http_listen_is_address(at.host)) ||
	    err_set(err, ERR_CONFIG,
		"LINK_ADDRESS: where it listens, as :9443 or 10.0.0.5:9443, not %.80s",
		settings->address);
}

bool
link_settings_read(struct link_settings *ret, enum link_use use, const char *file, struct err *err)
{
	const char *names[COUNT(rows)];

	*ret = (struct link_settings){ .use = use };
	if (!env_file_read(&ret->file, file, err))
		return false;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *value = env_file_text(&ret->file, rows[i].name);

		names[i] = rows[i].name;
		if (value == NULL && (value = rows[i].value[use]) == NULL)
			return err_set(err, ERR_CONFIG, "%s: %s is not set", file, rows[i].name);
		memcpy((char *)ret + rows[i].offset, &value, sizeof(value));
	}
	if (!env_file_check(&ret->file, names, COUNT(rows), err))
		return err_wrap(err, "%s", file);
	if (!text_to_i64(ret->heartbeat, 1, 300, &ret->heartbeat_s, NULL) ||
	    !text_to_i64(ret->reconnect, 1, 300, &ret->reconnect_s, NULL))
		return err_set(err, ERR_CONFIG, "LINK_HEARTBEAT_S, LINK_RECONNECT_S: 1 to 300");
	return check_address(ret, err) && read_servers(ret, err);
}
