/* cli_hosts.c - `hosts from-inventory`: the hosts of an Ansible inventory, for <ENV>_HOSTS_FILE.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/cli.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/host_lines.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"

#define FILE_MAX   (32u << 20) /* with all variables of a thousand hosts */
#define GROUPS_MAX 4096
#define HOW	   "make it with: ansible-inventory -i INVENTORY --list >FILE"

struct taken {
	char plain[HOST_TEXT];
	char line[HOST_TEXT];
	char name[HOST_TEXT]; /* as the inventory calls it */
};

struct reader {
	const struct json *inventory, *variables;
	const struct json **seen; /* groups */
	size_t n_seen;
	struct taken *hosts;
	size_t count;
	struct err *err;
};

/* --- one host --- */

/* Ansible takes a number, and a text with one.  0: none is set; -1: no port. */
static int64_t
port_of(const struct json *of)
{
	const char *text = json_get_str(of, "ansible_port");
	int64_t port = json_get_i64_or(of, "ansible_port", 0);

	if (text != NULL && !text_to_i64(text, 1, 65535, &port, NULL))
		return -1;
	return port < 0 || port > 65535 ? -1 : port;
}

static bool
find_line(const struct reader *reader, const char *name, char ret[HOST_TEXT])
{
	const struct json *of = json_get(reader->variables, name);
	const char *host = json_get_str(of, "ansible_host");
	int64_t port = port_of(of);
	bool is_ipv6;

	if (host == NULL || host[0] == '\0')
		host = name;
	is_ipv6 = strchr(host, ':') != NULL && host[0] != '[';
	if (port < 0 || strlen(host) > HOST_TEXT - 10)
		return err_set(reader->err, ERR_INVALID,
		    "%.80s: its ansible_port is no port, or its name is too long", name);
	(void)snprintf(ret, HOST_TEXT, "%s%s%s", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "");
	if (port != 0)
		(void)snprintf(ret + strlen(ret), 8, ":%d", (int)port);
	return setting_check(SETTING_TYPE_HOSTS, ret, false, NULL) && strchr(ret, ',') == NULL ?
	    true :
	    err_set(reader->err, ERR_INVALID,
		"%.80s is reached as \"%.80s\", which is no HOST or HOST:PORT: set its ansible_host to one",
		text_is_plain(name) ? name : "a host", text_is_plain(ret) ? ret : "?");
}

static bool
take_host(struct reader *reader, const char *name)
{
	struct taken taken;

	if (name == NULL)
		return err_set(reader->err, ERR_INVALID, "a host that is no text: " HOW);
	text_set(taken.name, name);
	if (!find_line(reader, name, taken.line))
		return false;
	(void)host_plain(taken.line, taken.plain);
	for (size_t i = 0; i < reader->count; i++)
		if (strcmp(reader->hosts[i].plain, taken.plain) == 0)
			return true; /* in several groups, or under two names */
	if (reader->count == HOST_LINES_MAX)
		return err_set(reader->err, ERR_LIMIT,
		    "more than %d hosts: name a group that has fewer: --group NAME",
		    HOST_LINES_MAX);
	reader->hosts[reader->count++] = taken;
	return true;
}

/* --- groups --- */

static bool
was_seen(const struct reader *reader, const struct json *group)
{
	for (size_t i = 0; i < reader->n_seen; i++)
		if (reader->seen[i] == group)
			return true;
	return false;
}

/* One that has no host may be named and not be there. */
static void
add_group(struct reader *reader, const char *name)
{
	const struct json *group = name == NULL ? NULL : json_get(reader->inventory, name);

	if (json_holds_object(group) && !was_seen(reader, group) && reader->n_seen < GROUPS_MAX)
		reader->seen[reader->n_seen++] = group;
}

static bool
take_groups(struct reader *reader, const char *root)
{
	add_group(reader, root);
	if (reader->n_seen == 0)
		return err_set(reader->err, ERR_MISSING,
		    "there is no group \"%.60s\": ansible-inventory --graph shows which there are",
		    text_is_plain(root) ? root : "?");
	for (size_t at = 0; at < reader->n_seen; at++) {
		const struct json *hosts = json_get(reader->seen[at], "hosts");
		const struct json *children = json_get(reader->seen[at], "children");

		for (size_t i = 0; i < json_count(children); i++)
			add_group(reader, json_str(json_at(children, i)));
		for (size_t i = 0; i < json_count(hosts); i++)
			if (!take_host(reader, json_str(json_at(hosts, i))))
				return false;
	}
	if (reader->count == 0)
		return err_set(reader->err, ERR_MISSING, "the group %.60s has no host", root);
	return true;
}

/* --- the file --- */

static struct json *
read_inventory(const char *path, struct err *err)
{
	size_t size;
	CLEANUP(freep) char *text = file_read(path, FILE_MAX, &size, err);
	struct json *inventory = text == NULL ? NULL : json_decode(text, size, err);

	if (text != NULL && inventory == NULL)
		(void)err_wrap(err, "%s is no inventory as JSON (" HOW ")", path);
	if (inventory == NULL || json_holds_object(json_get(inventory, "_meta")))
		return inventory;
	json_free(inventory);
	return ERR_NULL(err_set(
	    err, ERR_INVALID, "%s is not what ansible-inventory --list prints: " HOW, path));
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct taken *)a)->name, ((const struct taken *)b)->name);
}

static void
print(const struct reader *reader, const char *group)
{
	(void)printf("# %zu hosts of the group %s\n", reader->count, group);
	for (size_t i = 0; i < reader->count; i++) {
		const struct taken *taken = &reader->hosts[i];
		bool is_other = strncmp(taken->line, taken->name, strlen(taken->name)) != 0;

		(void)printf("%s%s%s\n", taken->line, is_other ? "\t# " : "",
		    !is_other			   ? "" :
			text_is_plain(taken->name) ? taken->name :
						     "?");
	}
}

int
cli_hosts_from_inventory(const struct cli *cli)
{
	const char *group = cli->value[OPTION_GROUP] != NULL ? cli->value[OPTION_GROUP] : "all";
	CLEANUP(json_freep) struct json *inventory = NULL;
	CLEANUP(freep) struct taken *hosts = mem_new(HOST_LINES_MAX, sizeof(*hosts));
	CLEANUP(freep) const struct json **seen = mem_new(GROUPS_MAX, sizeof(*seen));
	struct err err;
	struct reader reader = { .seen = seen, .hosts = hosts, .err = &err };

	inventory = read_inventory(cli->argv[0], &err);
	reader.inventory = inventory;
	reader.variables = json_get(json_get(inventory, "_meta"), "hostvars");
	if (inventory == NULL || !take_groups(&reader, group)) {
		(void)fprintf(stderr, "deploybot: %s\n", err.text);
		return err_exit_status(err.code);
	}
	qsort(hosts, reader.count, sizeof(*hosts), by_name);
	print(&reader, group);
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}
