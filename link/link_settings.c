/* link_settings.c - what deploybot-link is given, in a file and as words behind its use.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "link/link_settings.h"

#include "lib/err.h"
#include "lib/text.h"

const char *const link_uses[LINK_USE_COUNT] = { "serve", "runner", "agent" };

static const struct row {
	const char *name;
	size_t offset;
	unsigned uses;
	const char *value;
} rows[] = {
#define S(member, name, uses, value) { name, offsetof(struct link_settings, member), uses, value },
	LINK_SETTINGS(S)
#undef S
};

static bool
set(struct link_settings *settings, const char *name, size_t size, const char *value,
    struct err *err)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (strlen(rows[i].name) != size || strncmp(rows[i].name, name, size) != 0 ||
		    (rows[i].uses & 1u << settings->use) == 0)
			continue;
		memcpy((char *)settings + rows[i].offset, &value, sizeof(value));
		return true;
	}
	return err_set(err, ERR_CONFIG, "%.*s: %s has no such setting", (int)size, name,
	    link_uses[settings->use]);
}

/* HOST:PORT, [ADDRESS]:PORT, and of who listens :PORT. */
static bool
read_address(const char *text, size_t size, struct link_address *ret)
{
	const char *colon = memrchr(text, ':', size);
	size_t host = colon == NULL ? 0 : (size_t)(colon - text);
	size_t port = size - host - (colon != NULL);
	bool brackets = host > 2 && text[0] == '[' && text[host - 1] == ']';
	int64_t number;

	if (colon == NULL || port >= sizeof(ret->port) || host >= sizeof(ret->host))
		return false;
	*ret = (struct link_address){ 0 };
	memcpy(ret->port, colon + 1, port);
	memcpy(ret->host, text + brackets, host - (brackets ? 2u : 0));
	return text_to_i64(ret->port, 0, 65535, &number, NULL);
}

static bool
read_servers(struct link_settings *ret, struct err *err)
{
	for (const char *at = ret->servers; at != NULL && *at != '\0';) {
		size_t size = strcspn(at, ",");

		if (ret->dial_count == LINK_SERVERS_MAX ||
		    !read_address(at, size, &ret->dial[ret->dial_count]) ||
		    ret->dial[ret->dial_count].host[0] == '\0')
			return err_set(err, ERR_CONFIG,
			    "LINK_SERVERS: at most %d of HOST:PORT, with commas between: %s",
			    LINK_SERVERS_MAX, at);
		ret->dial_count++;
		at += size + (at[size] == ',');
	}
	return true;
}

static bool
read_seconds(const char *name, const char *text, int64_t *ret, struct err *err)
{
	if (text != NULL && !text_to_i64(text, 1, 300, ret, err))
		return err_wrap(err, "%s", name);
	*ret *= 1000;
	return true;
}

static bool
check(struct link_settings *ret, struct err *err)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *value;

		memcpy(&value, (char *)ret + rows[i].offset, sizeof(value));
		if ((rows[i].uses & 1u << ret->use) != 0 && (value == NULL || value[0] == '\0'))
			return err_set(err, ERR_CONFIG, "%s is not set", rows[i].name);
	}
	if (ret->address != NULL && !read_address(ret->address, strlen(ret->address), &ret->listen))
		return err_set(
		    err, ERR_CONFIG, "LINK_ADDRESS: HOST:PORT or :PORT, not %s", ret->address);
	return read_servers(ret, err) &&
	    read_seconds("LINK_HEARTBEAT_S", ret->heartbeat, &ret->heartbeat_ms, err) &&
	    read_seconds("LINK_RECONNECT_S", ret->reconnect, &ret->reconnect_ms, err);
}

bool
link_settings_read(struct link_settings *ret, enum link_use use, const char *file,
    char *const words[], struct err *err)
{
	*ret = (struct link_settings){ .use = use };
	for (size_t i = 0; i < COUNT(rows); i++)
		if ((rows[i].uses & 1u << use) != 0)
			(void)set(ret, rows[i].name, strlen(rows[i].name), rows[i].value, NULL);
	if (use != LINK_SERVE) {
		ret->runner_socket = use == LINK_AGENT ? "/run/deploybot-agent/runner.sock" :
							 "/run/deploybot-runner/runner.sock";
		ret->state = use == LINK_AGENT ? "/var/lib/deploybot-agent" : "/var/lib/deploybot";
	}
	if (file != NULL && !env_file_read(&ret->file, file, err))
		return false;
	for (size_t i = 0; i < ret->file.count; i++) {
		const struct env_entry *entry = &ret->file.entries[i];

		if (!set(ret, entry->name, strlen(entry->name), entry->value, err))
			return err_wrap(err, "%s line %u", file, entry->line);
	}
	for (; *words != NULL; words++) {
		size_t size = strcspn(*words, "=");

		if ((*words)[size] != '=' || !set(ret, *words, size, *words + size + 1, err))
			return err_set(
			    err, ERR_INVALID, "not a setting of %s: %s", link_uses[use], *words);
	}
	return check(ret, err);
}
