/* cli_secrets_check.c - `deploybot secrets check`: where each comes from, how old, who may read it.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * Ages and uses are the server's rows (store/row_secret.h); where there is none, the age is that of
 * its file, where that can be seen, and of uses nothing is known.  No value is shown, nor anything
 * that is made of one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "cli/cli.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/env_file.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/owner.h"
#include "lib/text.h"
#include "settings/sources/settings_commands.h"
#include "settings/sources/settings_secrets.h"
#include "store/row_secret.h"

#define DAY_MS	    (24 * 3600 * INT64_C(1000))
#define CREDENTIALS "/run/credentials/"
#define UNUSED_DAYS 7 /* a previous value that nobody needed for so long can go */

/* What is known of one. */
struct finding {
	const struct settings_secret *secret;
	char from[16]; /* "file", "credential", "command", "environment", "settings" */
	char file[SETTING_PART_MAX + 1]; /* "": none is known */
	bool is_seen;			 /* the file could be looked at */
	bool is_missing;		 /* there is none; neither: we may not look */
	unsigned mode;
	char readers[2 * OWNER_NAME + 16];
	bool is_by_date; /* since: of the file */
	int64_t since;	 /* wall ms; 0: not known */
	bool is_previous;
	int64_t used_at, uses;
	bool is_due;
	char problem[LIMIT_LINE]; /* "": none */
};

struct checking {
	const struct cli *cli;
	const struct settings *settings;
	const struct secret_age *ages;
	size_t n_ages;
	int64_t at;
	bool is_bad;
	struct json_out *json; /* NULL: for people */
};

/* --- where it comes from --- */

/* NAME_FILE of what only the runner reads, as it is said. */
static void
find_file(const struct checking *c, const struct settings_secret *secret, struct finding *ret)
{
	char path[SETTING_APPS_FILE_MAX], name[SETTING_NAME_MAX + 8];
	const char *file = c->cli->env_file, *text = NULL;
	CLEANUP(env_file_done) struct env_file entries = { 0 };
	const struct env_entry *entry;

	(void)snprintf(name, sizeof(name), "%s_FILE", secret->name);
	if (secret->application[0] != '\0')
		file =
		    cli_application_file(c->cli->env_file, c->settings, secret->application, path) ?
		    path :
		    NULL;
	else
		text = getenv(name);
	if (text == NULL && file != NULL && env_file_read(&entries, file, NULL) &&
	    (entry = env_file_find(&entries, name)) != NULL)
		text = entry->value;
	(void)text_copy(ret->file, sizeof(ret->file), text == NULL ? "" : text); /* cut is none */
}

static void
find_source(const struct checking *c, struct finding *f)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY"), *from = "file";

	if (f->secret->file != NULL)
		(void)text_copy(f->file, sizeof(f->file), f->secret->file);
	else if (f->secret->text == NULL)
		find_file(c, f->secret, f);
	if (f->file[0] == '\0')
		from = f->secret->application[0] == '\0' && getenv(f->secret->name) != NULL ?
		    "environment" :
		    "settings";
	else if (text_starts(f->file, CREDENTIALS) ||
	    (folder != NULL && folder[0] != '\0' && text_starts(f->file, folder)))
		from = "credential";
	else if (text_starts(f->file, SETTINGS_FETCHED "/"))
		from = "command";
	(void)text_copy(f->from, sizeof(f->from), from);
}

/* --- who may read it --- */

/* Who is to have it alone: with a runner of its own what that reads is that user's. */
static const char *
wanted_owner(const struct checking *c, const struct finding *f)
{
	return f->secret->spec->whose == WHOSE_RUNNER && c->settings->runner_socket != NULL ?
	    "deploybot-runner" :
	    "deploybot";
}

/* What the runner's container has under the same path as ours (docker-compose.yml) cannot be seen
 * here. */
static bool
is_of_another_container(const struct checking *c, const struct finding *f)
{
	return f->secret->spec->whose == WHOSE_RUNNER && c->settings->runner_socket != NULL &&
	    text_starts(f->file, "/run/secrets/");
}

/* A credential is there while its service runs: one that is not is no fault. */
static void
note_missing(const struct checking *c, struct finding *f)
{
	if (is_of_another_container(c, f))
		return;
	f->is_missing = true;
	if (strcmp(f->from, "command") == 0)
		(void)snprintf(f->problem, sizeof(f->problem),
		    "the file is missing: deploybot secrets fetch makes it");
	else if (f->is_previous)
		(void)snprintf(f->problem, sizeof(f->problem),
		    "the file is missing: take the setting out, or put the file there");
	else if (strcmp(f->from, "credential") != 0)
		(void)snprintf(f->problem, sizeof(f->problem),
		    "the file is missing: put it there, owner %s, mode 0600", wanted_owner(c, f));
}

/* In the folder of a credential the service manager sees to it, by an access list: no mode says
 * who may. */
static void
look_at_file(const struct checking *c, struct finding *f)
{
	char user[OWNER_NAME], group[OWNER_NAME];
	struct stat st;

	if (f->file[0] == '\0')
		return;
	if (stat(f->file, &st) != 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			note_missing(c, f);
		return;
	}
	f->is_seen = true;
	f->mode = (unsigned)st.st_mode & 07777;
	(void)snprintf(f->readers, sizeof(f->readers), "%s%s%s", owner_user(st.st_uid, "#", user),
	    (st.st_mode & 040) != 0 ? ", group " : "",
	    (st.st_mode & 040) != 0 ? owner_group(st.st_gid, "#", group) : "");
	if ((st.st_mode & 04) != 0)
		(void)snprintf(f->readers, sizeof(f->readers), "everybody");
	if (strcmp(f->from, "credential") != 0 && (st.st_mode & 077) != 0)
		(void)snprintf(f->problem, sizeof(f->problem),
		    "%s may read or change the file: chmod 600 it, owner %s",
		    (st.st_mode & 07) != 0 ? "everybody" : "its group", wanted_owner(c, f));
	if (f->since == 0) {
		f->since = st.st_mtim.tv_sec * INT64_C(1000);
		f->is_by_date = true;
	}
}

/* --- how old it is --- */

static void
find_age(const struct checking *c, struct finding *f)
{
	const char *of = f->secret->application, *name = f->secret->name;

	for (size_t i = 0; i < c->n_ages; i++) {
		const struct secret_age *age = &c->ages[i];

		if (strcmp(age->application, of) != 0 || strcmp(age->name, name) != 0)
			continue;
		f->since = age->seen_at;
		f->used_at = age->used_at;
		f->uses = age->uses;
	}
}

/* By a file's date nothing is known of who used it. */
static bool
has_uses(const struct finding *f)
{
	return f->since != 0 && !f->is_by_date;
}

static int64_t
days_since(const struct checking *c, int64_t since)
{
	return since > c->at ? 0 : (c->at - since) / DAY_MS;
}

static void
judge(struct checking *c, struct finding *f)
{
	f->is_due = !f->is_previous && f->since != 0 && c->settings->rotate_days > 0 &&
	    days_since(c, f->since) >= c->settings->rotate_days;
	if (f->problem[0] == '\0' && f->is_due)
		(void)snprintf(f->problem, sizeof(f->problem),
		    "older than ROTATE_DAYS=%d: change it", c->settings->rotate_days);
	if (f->problem[0] == '\0' && f->is_previous && has_uses(f) &&
	    days_since(c, f->used_at != 0 ? f->used_at : f->since) >= UNUSED_DAYS)
		(void)snprintf(f->problem, sizeof(f->problem),
		    "nobody has used it for %d days: take it out", UNUSED_DAYS);
	c->is_bad |= f->problem[0] != '\0';
}

/* --- what is shown --- */

/* Each line has it, for grep. */
static void
print_name(const char *before, const struct settings_secret *secret, const char *behind)
{
	(void)printf("%s%s%s%s%s", before, secret->application,
	    secret->application[0] != '\0' ? ": " : "", secret->name, behind);
}

static void
print_previous(const struct finding *f)
{
	char at[TEXT_TIME_SIZE];

	print_name("    ", f->secret, " is accepted too; ");
	if (!has_uses(f))
		(void)printf("when it was used last is not known\n");
	else if (f->uses == 0)
		(void)printf("never used\n");
	else
		(void)printf("last used %.16s UTC, %" PRId64 " time%s\n",
		    text_time_ms(at, f->used_at), f->uses, f->uses == 1 ? "" : "s");
}

static void
print(const struct checking *c, const struct finding *f)
{
	int64_t days = days_since(c, f->since);

	print_name("", f->secret, "  from the ");
	(void)printf("%s", strcmp(f->from, "settings") == 0 ? "settings file" : f->from);
	if (f->file[0] != '\0')
		(void)printf(" %s", f->file);
	if (f->is_seen)
		(void)printf(" (%04o, read by %s)", f->mode, f->readers);
	else if (f->file[0] != '\0')
		(void)printf(f->is_missing ? " (missing)" : " (not visible to this user)");
	if (f->since == 0)
		(void)printf(", age not known\n");
	else
		(void)printf(", %" PRId64 " day%s old%s\n", days, days == 1 ? "" : "s",
		    f->is_by_date ? " by the file's date" : "");
	if (f->is_previous)
		print_previous(f);
	if (f->problem[0] != '\0') {
		print_name("    warning: ", f->secret, ": ");
		(void)printf("%s\n", f->problem);
	}
}

static void
put(const struct checking *c, const struct finding *f)
{
	struct json_out *json = c->json;
	char mode[8];

	(void)snprintf(mode, sizeof(mode), "%04o", f->mode);
	json_out_object(json);
	json_put_str(json, "application", f->secret->application);
	json_put_str(json, "name", f->secret->name);
	json_put_str(json, "from", f->from);
	json_put_str(json, "file", f->file[0] == '\0' ? NULL : f->file);
	json_put_str(json, "mode", f->is_seen ? mode : NULL);
	json_put_str(json, "readers", f->is_seen ? f->readers : NULL);
	json_put_time(json, "since", f->since);
	json_put_bool(json, "is_by_date", f->is_by_date);
	json_put_bool(json, "is_due", f->is_due);
	json_put_bool(json, "is_previous", f->is_previous);
	json_put_time(json, "used_at", f->used_at);
	json_put_i64_if(json, "uses", has_uses(f), f->uses);
	json_put_str(json, "problem", f->problem[0] == '\0' ? NULL : f->problem);
	json_out_end(json);
}

static void
on_secret(void *ctx, const struct settings_secret *secret)
{
	struct checking *c = ctx;
	struct finding f = { .secret = secret,
		.is_previous = text_ends(secret->name, SECRET_PREVIOUS) };

	find_source(c, &f);
	find_age(c, &f);
	look_at_file(c, &f);
	judge(c, &f);
	if (c->json != NULL)
		put(c, &f);
	else
		print(c, &f);
}

static void
show_json(struct checking *c)
{
	CLEANUP(buf_done) struct buf out = buf_make(4u << 20);
	struct json_out json = json_out_begin(&out, '{');

	c->json = &json;
	json_put_i64(&json, "rotate_days", c->settings->rotate_days);
	json_put_open(&json, "secrets", '[');
	settings_for_secrets(c->settings, on_secret, c);
	c->json = NULL;
	json_out_end(&json);
	json_out_end(&json);
	if (buf_failed(&out))
		c->is_bad = true;
	else
		(void)printf("%s\n", buf_text(&out));
}

int
cli_secrets_check(const struct cli *cli)
{
	CLEANUP(settings_unrefp) struct settings *s = cli_settings(cli, false);
	struct checking c = { .cli = cli, .settings = s, .at = clock_wall_ms() };
	CLEANUP(freep) struct secret_age *ages = NULL;
	struct err err;

	if (s == NULL)
		return EX_CONFIG;
	ages = row_secret_list(s->database, &c.n_ages, &err);
	if (ages == NULL)
		(void)fprintf(stderr,
		    "warning: ages are not known: %s (the server notes them; run this as its user)\n",
		    err.text);
	c.ages = ages;
	if (cli->value[OPTION_JSON] != NULL)
		show_json(&c);
	else
		settings_for_secrets(s, on_secret, &c);
	return c.is_bad ? 1 : EX_OK;
}
