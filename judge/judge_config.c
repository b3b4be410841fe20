/* judge_config.c - what compose makes of a file: does it reach beyond its own containers?  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "judge/judge.h"
#include "judge/judge_inside.h"
#include "judge/judge_yaml.h"
#include "lib/clean.h"
#include "lib/err.h"
#include "lib/text.h"

/* What a service may say.  Anything else has to be allowed by its name: compose learns new ways
 * out. */
static const char *const service_keys[] = { "attach", "cap_drop", "command", "configs",
	"container_name", "cpu_count", "cpu_percent", "cpu_period", "cpu_quota", "cpu_shares",
	"cpus", "cpuset", "depends_on", "deploy", "dns", "dns_opt", "dns_search", "domainname",
	"entrypoint", "environment", "expose", "extra_hosts", "healthcheck", "hostname", "image",
	"init", "labels", "links", "logging", "mac_address", "mem_limit", "mem_reservation",
	"mem_swappiness", "memswap_limit", "networks", "pids_limit", "platform", "ports",
	"profiles", "read_only", "restart", "scale", "secrets", "shm_size", "stdin_open",
	"stop_grace_period", "stop_signal", "sysctls", "tmpfs", "tty", "user", "working_dir" };

/* What a service may say with these words alone; * at the end: whatever follows. */
static const char *const service_words[][2] = { { "privileged", "false" }, { "pid", "service:*" },
	{ "ipc", "service:*" }, { "ipc", "none" }, { "ipc", "private" }, { "ipc", "shareable" },
	{ "network_mode", "none" }, { "network_mode", "bridge" }, { "network_mode", "default" },
	{ "network_mode", "service:*" }, { "cgroup", "private" }, { "oom_kill_disable", "false" },
	{ "pull_policy", "always" }, { "pull_policy", "missing" },
	{ "pull_policy", "if_not_present" }, { "pull_policy", "never" } };

/* dockerd writes a log, as root, in the host's network, and to its sockets. */
static const char *const log_drivers[] = { "json-file", "local", "none" };
static const char *const log_options[] = { "max-size", "max-file", "compress", "mode",
	"max-buffer-size", "tag", "labels", "labels-regex", "env", "env-regex" };

static const char *const mount_types[] = { "bind", "volume", "tmpfs", "image" };
static const char *const network_drivers[] = { "bridge", "overlay", "default" };
static const char *const volume_drivers[] = { "local", "default" };

struct run {
	struct judge *judge;
	struct err *err;
	char where[100];   /* in words: "service app" */
	bool is_read_only; /* of a mount */
	enum { VOLUMES, SECRETS, CONFIGS } section;
};

typedef bool pair_fn(struct run *run, const char *key, const struct judge_node *value);

/* --- nodes --- */

static const struct judge_node *
meant(const struct judge_node *node)
{
	return node->kind == JUDGE_ALIAS ? node->target : node;
}

static bool
is_nothing(const struct judge_node *value)
{
	return value->kind == JUDGE_TEXT ? value->is_plain && strcmp(value->word, "null") == 0 :
					   value->first == NULL;
}

/* 0, or more. */
static bool
is_count(const struct judge_node *value)
{
	return value->kind == JUDGE_TEXT && value->word[0] != '\0' &&
	    value->word[strspn(value->word, "0123456789")] == '\0';
}

static bool
is_one_of(const struct judge_node *value, const char *const words[], size_t count)
{
	return value->kind == JUDGE_TEXT && text_index(value->word, words, count) < count;
}

static bool
refuse_shape(struct run *run, const char *what)
{
	return err_set(
	    run->err, ERR_DENIED, "%s: %s is not written as compose writes it", run->where, what);
}

/* Calls back for each key of a mapping.  Nothing (null) has none. */
static bool
each_pair(struct run *run, const struct judge_node *map, const char *what, pair_fn *fn)
{
	if (is_nothing(map))
		return true;
	if (map->kind != JUDGE_MAP)
		return refuse_shape(run, what);
	for (const struct judge_node *key = map->first; key != NULL; key = key->next->next)
		if (!fn(run, key->word, meant(key->next)))
			return false;
	return true;
}

static bool
is_allowed(const struct run *run, const char *key)
{
	size_t size = strlen(key);

	for (const char *word = run->judge->allow;; word++) {
		if (strncmp(word, key, size) == 0 && (word[size] == ',' || word[size] == '\0'))
			return size > 0;
		word = strchr(word, ',');
		if (word == NULL)
			return false;
	}
}

static const char *
word_of(const struct judge_node *value)
{
	return value->kind == JUDGE_TEXT ? value->word : "";
}

/* KEY reaches beyond the container; in words it is WHAT, and MORE where that is not "". */
static bool
offense(struct run *run, const char *key, const char *what, const char *more)
{
	char text[140], shown[140], name[60];

	if (is_allowed(run, key))
		return true;
	(void)snprintf(text, sizeof(text), "%.60s%s%.60s", what, more[0] == '\0' ? "" : " ", more);
	return err_set(run->err, ERR_DENIED,
	    "%s: %s reaches beyond its containers: remove it, or allow it: COMPOSE_ALLOW=\"%s\"",
	    run->where, clean_line(shown, sizeof(shown), text, strlen(text)),
	    clean_line(name, sizeof(name), key, strlen(key)));
}

static void
name_where(struct run *run, const char *what, const char *name)
{
	char shown[60];

	(void)snprintf(run->where, sizeof(run->where), "%s %s", what,
	    clean_line(shown, sizeof(shown), name, strlen(name)));
}

/* --- a service's volumes --- */

static bool
no_plain_mount(struct run *run)
{
	return err_set(run->err, ERR_DENIED,
	    "%s: a volume that is not plain (a path with blanks or quotes?): write SOURCE:TARGET",
	    run->where);
}

/* A named volume, or a path of the host. */
static bool
judge_mount_source(struct run *run, const char *source)
{
	bool is_name =
	    source[0] != '\0' && strchr("._-", source[0]) == NULL && judge_is_plain(source, "._-");

	if (is_name)
		return true;
	if (source[0] != '/')
		return err_set(run->err, ERR_DENIED,
		    "%s: a path of the host that is not plain (A-Z a-z 0-9 . _ / @ : + -): write it so",
		    run->where);
	return judge_add_path(run->judge, run->where, source, run->is_read_only, run->err);
}

static bool
judge_propagation(struct run *run, const char *word, size_t size)
{
	return (size == 7 && strncmp(word, "private", 7) == 0) ||
	    (size == 8 && strncmp(word, "rprivate", 8) == 0) ||
	    offense(run, "propagation", "mount propagation", "");
}

/* ro,z: words with commas between. */
static bool
judge_mode(struct run *run, const char *mode)
{
	bool may_write = false;

	if (mode[0] == '\0' || !judge_is_plain(mode, ",") || strpbrk(mode, "0123456789") != NULL)
		return no_plain_mount(run);
	while (*mode != '\0') {
		size_t n = strcspn(mode, ",");
		const char *rest = *mode == 'r' ? mode + 1 : mode;
		size_t rest_n = n - (size_t)(rest - mode);

		run->is_read_only |= n == 2 && strncmp(mode, "ro", 2) == 0;
		may_write |= n == 2 && strncmp(mode, "rw", 2) == 0;
		if (((rest_n == 6 && strncmp(rest, "shared", 6) == 0) ||
			(rest_n == 5 && strncmp(rest, "slave", 5) == 0)) &&
		    !judge_propagation(run, mode, n))
			return false;
		mode += n + (mode[n] == ',');
	}
	run->is_read_only &= !may_write;
	return true;
}

/* /TARGET, or SOURCE:/TARGET, and :MODE behind either. */
static bool
judge_mount_text(struct run *run, const char *text)
{
	char source[1024], target[1024];
	size_t n = strcspn(text, ":");
	const char *rest = text[n] == ':' ? text + n + 1 : NULL;
	bool is_anonymous = text[0] == '/' && (rest == NULL || rest[0] != '/');

	if (n >= sizeof(source) || (rest == NULL && !is_anonymous))
		return no_plain_mount(run);
	run->is_read_only = false;
	memcpy(source, text, n);
	source[n] = '\0';
	if (is_anonymous)
		return judge_is_plain(source, "._/@+-") && strlen(source) > 1 ?
		    rest == NULL || judge_mode(run, rest) :
		    no_plain_mount(run);
	n = strcspn(rest, ":");
	if (n >= sizeof(target) || n < 2 || rest[0] != '/' || source[0] == '\0')
		return no_plain_mount(run);
	memcpy(target, rest, n);
	target[n] = '\0';
	if (!judge_is_plain(target, "._/@+-"))
		return no_plain_mount(run);
	if (rest[n] == ':' && !judge_mode(run, rest + n + 1))
		return false;
	return judge_mount_source(run, source);
}

static bool
is_switch(const struct judge_node *value)
{
	static const char *const words[] = { "true", "false" };

	return is_one_of(value, words, COUNT(words));
}

/* Of bind, volume and tmpfs within a mount. */
static bool
judge_mount_option(struct run *run, const char *key, const struct judge_node *value)
{
	static const char *const switches[] = { "create_host_path", "nocopy" };
	static const char *const labels[] = { "z", "Z" };
	static const char *const any[] = { "size", "mode", "subpath" };

	if (value->kind != JUDGE_TEXT)
		return no_plain_mount(run);
	if (strcmp(key, "propagation") == 0)
		return judge_propagation(run, value->word, strlen(value->word));
	return (text_index(key, switches, COUNT(switches)) < COUNT(switches) && is_switch(value)) ||
	    (strcmp(key, "selinux") == 0 && is_one_of(value, labels, COUNT(labels))) ||
	    text_index(key, any, COUNT(any)) < COUNT(any) || no_plain_mount(run);
}

static bool
judge_mount_key(struct run *run, const char *key, const struct judge_node *value)
{
	static const char *const options[] = { "bind", "volume", "tmpfs" };

	if (text_index(key, options, COUNT(options)) < COUNT(options))
		return each_pair(run, value, key, judge_mount_option);
	if (value->kind != JUDGE_TEXT)
		return no_plain_mount(run);
	if (strcmp(key, "source") == 0)
		return judge_mount_source(run, value->word);
	if (strcmp(key, "type") == 0)
		return is_one_of(value, mount_types, COUNT(mount_types)) || no_plain_mount(run);
	return strcmp(key, "target") == 0 || (strcmp(key, "read_only") == 0 && is_switch(value)) ||
	    (strcmp(key, "consistency") == 0 && judge_is_plain(value->word, "")) ||
	    no_plain_mount(run);
}

static bool
find_read_only(struct run *run, const char *key, const struct judge_node *value)
{
	run->is_read_only |= strcmp(key, "read_only") == 0 && strcmp(word_of(value), "true") == 0;
	return true;
}

/* What it says of writing may stand behind its source. */
static bool
judge_mount_map(struct run *run, const struct judge_node *map)
{
	if (map->kind != JUDGE_MAP || map->first == NULL)
		return no_plain_mount(run);
	run->is_read_only = false;
	return each_pair(run, map, "volumes", find_read_only) &&
	    each_pair(run, map, "volumes", judge_mount_key);
}

static bool
judge_mounts(struct run *run, const struct judge_node *list)
{
	if (is_nothing(list))
		return true;
	if (list->kind != JUDGE_LIST)
		return refuse_shape(run, "volumes");
	for (const struct judge_node *at = list->first; at != NULL; at = at->next) {
		const struct judge_node *one = meant(at);

		if (one->kind == JUDGE_TEXT ? !judge_mount_text(run, one->word) :
					      !judge_mount_map(run, one))
			return false;
	}
	return true;
}

/* --- what else a service says --- */

static bool
judge_security(struct run *run, const struct judge_node *list)
{
	static const char *const taken[] = { "no-new-privileges", "no-new-privileges:true",
		"no-new-privileges=true" };

	if (is_nothing(list))
		return true;
	if (list->kind != JUDGE_LIST)
		return offense(run, "security_opt", "security_opt", "");
	for (const struct judge_node *at = list->first; at != NULL; at = at->next)
		if (!is_one_of(meant(at), taken, COUNT(taken)) &&
		    !offense(run, "security_opt", "security_opt", ""))
			return false;
	return true;
}

static bool
judge_log_option(struct run *run, const char *key, const struct judge_node *value)
{
	char option[100];

	if (text_index(key, log_options, COUNT(log_options)) < COUNT(log_options))
		return true;
	(void)snprintf(option, sizeof(option), "%.40s %.50s", key, word_of(value));
	return offense(run, "logging", "logging with", option);
}

static bool
judge_log_key(struct run *run, const char *key, const struct judge_node *value)
{
	if (is_nothing(value))
		return true;
	if (strcmp(key, "driver") == 0)
		return is_one_of(value, log_drivers, COUNT(log_drivers)) ||
		    offense(run, "logging", "logging with driver", word_of(value));
	if (strcmp(key, "options") == 0)
		return each_pair(run, value, "logging", judge_log_option);
	return offense(run, "logging", "logging with", key);
}

/* Devices of the host, however deep: resources.reservations has them. */
static bool
judge_deploy(struct run *run, const char *key, const struct judge_node *value)
{
	if ((strcmp(key, "devices") == 0 || strcmp(key, "generic_resources") == 0) &&
	    !offense(run, "devices", "devices", ""))
		return false;
	if (value->kind == JUDGE_MAP)
		return each_pair(run, value, "deploy", judge_deploy);
	for (const struct judge_node *at = value->first; at != NULL; at = at->next) {
		const struct judge_node *one = meant(at);

		if (one->kind == JUDGE_MAP && !each_pair(run, one, "deploy", judge_deploy))
			return false;
		if (one->kind == JUDGE_LIST && one->first != NULL)
			return refuse_shape(run, "deploy");
	}
	return true;
}

/* A number as it is, or as soft and hard; without a bound it is the host's. */
static bool
judge_ulimit(struct run *run, const char *key, const struct judge_node *value)
{
	if (value->kind == JUDGE_MAP)
		return each_pair(run, value, "ulimits", judge_ulimit);
	return is_count(value) || offense(run, "ulimits", "a ulimit without a bound:", key);
}

/* Addresses that are fixed may be those of others: of the host's network, too. */
static bool
judge_address(struct run *run, const char *key, const struct judge_node *value)
{
	static const char *const fixed[] = { "ipv4_address", "ipv6_address", "link_local_ips" };

	return is_nothing(value) || text_index(key, fixed, COUNT(fixed)) == COUNT(fixed) ||
	    offense(run, "network_address", key, "");
}

static bool
judge_service_network(struct run *run, const char *key, const struct judge_node *value)
{
	(void)key; /* whichever network it is */
	return value->kind != JUDGE_MAP || each_pair(run, value, "networks", judge_address);
}

static bool
is_taken_word(const char *key, const struct judge_node *value)
{
	for (size_t i = 0; i < COUNT(service_words) && value->kind == JUDGE_TEXT; i++) {
		const char *word = service_words[i][1];
		size_t n = strlen(word);

		if (strcmp(key, service_words[i][0]) != 0)
			continue;
		if (word[n - 1] == '*' ? strncmp(value->word, word, n - 1) == 0 :
					 strcmp(value->word, word) == 0)
			return true;
	}
	return false;
}

static bool
judge_service_key(struct run *run, const char *key, const struct judge_node *value)
{
	if (is_nothing(value) || text_starts(key, "x-") || is_taken_word(key, value))
		return true;
	if (strcmp(key, "volumes") == 0)
		return judge_mounts(run, value);
	if (strcmp(key, "security_opt") == 0)
		return judge_security(run, value);
	if (strcmp(key, "logging") == 0)
		return each_pair(run, value, "logging", judge_log_key);
	if (strcmp(key, "deploy") == 0)
		return each_pair(run, value, "deploy", judge_deploy);
	if (strcmp(key, "ulimits") == 0)
		return each_pair(run, value, key, judge_ulimit);
	if (strcmp(key, "networks") == 0 && value->kind == JUDGE_MAP)
		return each_pair(run, value, key, judge_service_network);
	if (strcmp(key, "oom_score_adj") == 0 && is_count(value))
		return true;
	return text_index(key, service_keys, COUNT(service_keys)) < COUNT(service_keys) ||
	    offense(run, key, key, "");
}

static bool
judge_service(struct run *run, const char *name, const struct judge_node *value)
{
	name_where(run, "service", name);
	return each_pair(run, value, "it", judge_service_key);
}

/* --- networks, volumes, secrets, configs --- */

static bool
is_host(const char *name)
{
	return strcmp(name, "host") == 0;
}

/* The host's network by name; compose 1 may write it below external. */
static bool
judge_network_name(struct run *run, const char *key, const struct judge_node *value)
{
	return strcmp(key, "name") != 0 || value->kind != JUDGE_TEXT || !is_host(value->word) ||
	    offense(run, "network_mode", "the network host", "");
}

/* What docker itself gives is an address that nobody has. */
static bool
judge_ipam_key(struct run *run, const char *key, const struct judge_node *value)
{
	return is_nothing(value) ||
	    (strcmp(key, "driver") == 0 && strcmp(word_of(value), "default") == 0) ||
	    offense(run, "network_address", "ipam with", key);
}

static bool
judge_network_key(struct run *run, const char *key, const struct judge_node *value)
{
	if (strcmp(key, "external") == 0 && value->kind == JUDGE_MAP)
		return each_pair(run, value, key, judge_network_name);
	if (strcmp(key, "driver") == 0 && !is_nothing(value) &&
	    !is_one_of(value, network_drivers, COUNT(network_drivers)))
		return offense(run, "network_driver", "driver", word_of(value));
	if (strcmp(key, "driver_opts") == 0 && !(value->kind == JUDGE_MAP && value->first == NULL))
		return offense(run, "network_driver", "driver_opts", "");
	if (strcmp(key, "ipam") == 0)
		return each_pair(run, value, key, judge_ipam_key);
	return judge_network_name(run, key, value);
}

static bool
judge_network(struct run *run, const char *name, const struct judge_node *value)
{
	name_where(run, "network", name);
	if (is_host(name) && !offense(run, "network_mode", "the network host", ""))
		return false;
	return each_pair(run, value, "it", judge_network_key);
}

static bool
judge_source_key(struct run *run, const char *key, const struct judge_node *value)
{
	bool is_volume = run->section == VOLUMES;

	if (strcmp(key, "name") == 0 || strcmp(key, "external") == 0 ||
	    strcmp(key, "labels") == 0 || text_starts(key, "x-") ||
	    (!is_volume && strcmp(key, "environment") == 0) ||
	    (run->section == CONFIGS && strcmp(key, "content") == 0))
		return true;
	if (!is_volume && strcmp(key, "file") == 0)
		return value->kind == JUDGE_TEXT && value->word[0] == '/' ?
		    judge_add_path(run->judge, run->where, value->word, true, run->err) :
		    err_set(run->err, ERR_DENIED,
			"%s: a path that is not plain: write it without blanks", run->where);
	if (is_nothing(value))
		return true;
	if (is_volume && strcmp(key, "driver") == 0)
		return is_one_of(value, volume_drivers, COUNT(volume_drivers)) ||
		    offense(run, "volume_driver", "driver", word_of(value));
	return offense(run, key, key, "");
}

static bool
judge_source(struct run *run, const char *name, const struct judge_node *value)
{
	static const char *const words[] = { "volume", "secret", "config" };

	name_where(run, words[run->section], name);
	return each_pair(run, value, "it", judge_source_key);
}

/* --- all of it --- */

static bool
judge_section(struct run *run, const char *key, const struct judge_node *value)
{
	static const char *const sources[] = { "volumes", "secrets", "configs" };
	size_t section = text_index(key, sources, COUNT(sources));

	(void)snprintf(run->where, sizeof(run->where), "its first level");
	if (strcmp(key, "services") == 0)
		return each_pair(run, value, key, judge_service);
	if (strcmp(key, "networks") == 0)
		return each_pair(run, value, key, judge_network);
	if (section < COUNT(sources)) {
		run->section = section == 0 ? VOLUMES : section == 1 ? SECRETS : CONFIGS;
		return each_pair(run, value, key, judge_source);
	}
	return strcmp(key, "name") == 0 || strcmp(key, "version") == 0 || text_starts(key, "x-") ||
	    offense(run, key, key, "");
}

bool
judge_config(struct judge *judge, const char *text, size_t size, struct err *err)
{
	CLEANUP(judge_yaml_freep) struct judge_tree *tree = NULL;
	struct run run = { .judge = judge, .err = err, .where = "its first level" };

	if (size > JUDGE_CONFIG_MAX)
		return err_set(
		    err, ERR_LIMIT, "compose makes more than %d bytes of it", JUDGE_CONFIG_MAX);
	tree = judge_yaml_read(text, size, err);
	if (tree == NULL)
		return err_wrap(err, "what compose makes of it");
	if (judge_yaml_root(tree)->kind != JUDGE_MAP)
		return err_set(err, ERR_DENIED, "compose makes nothing of it");
	return each_pair(&run, judge_yaml_root(tree), "it", judge_section);
}
