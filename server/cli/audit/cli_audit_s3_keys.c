/* cli_audit_s3_keys.c - the auditor's keys, by environment or file, and where the bucket is.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "cli/audit/cli_audit_s3_inside.h"
#include "lib/file.h"
#include "lib/mem_wiped.h"
#include "lib/text.h"
#include "types/settings.h"

#define KEYS_MAX 65536
#define SCHEME	 "s3://"

/* The first of them that is set and not empty; NULL: none. */
static const char *
environment_of(const char *const names[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *value = getenv(names[i]);

		if (value != NULL && value[0] != '\0')
			return value;
	}
	return NULL;
}

static bool
take(char *out, size_t room, const char *value, const char *what, struct err *err)
{
	return text_copy(out, room, value) || err_set(err, ERR_LIMIT, "%s is too long", what);
}

/* --- keys --- */

static char *
strip(char *text)
{
	char *end;

	text += strspn(text, " \t\r");
	for (end = text + strlen(text); end > text && strchr(" \t\r", end[-1]) != NULL;)
		end--;
	*end = '\0';
	return text;
}

static bool
take_pair(struct s3_auditor *ret, const char *name, const char *value, struct err *err)
{
	if (strcmp(name, "aws_access_key_id") == 0)
		return take(ret->access_key, sizeof(ret->access_key), value, name, err);
	if (strcmp(name, "aws_secret_access_key") == 0)
		return take(ret->secret_key, sizeof(ret->secret_key), value, name, err);
	if (strcmp(name, "aws_session_token") == 0)
		return take(ret->token, sizeof(ret->token), value, name, err);
	return true;
}

/* [profile], then name = value; # and ; begin a line that is passed over. */
static bool
read_keys(struct s3_auditor *ret, char *text, const char *profile, struct err *err)
{
	bool is_ours = false;
	char *line, *next = text;

	while ((line = strsep(&next, "\n")) != NULL) {
		char *value, *end;

		line = strip(line);
		if (line[0] == '[') {
			end = strchr(line, ']');
			if (end != NULL)
				*end = '\0';
			is_ours = strcmp(strip(line + 1), profile) == 0;
			continue;
		}
		value = strchr(line, '=');
		if (!is_ours || line[0] == '#' || line[0] == ';' || value == NULL)
			continue;
		*value++ = '\0';
		if (!take_pair(ret, strip(line), strip(value), err))
			return false;
	}
	return true;
}

static bool
read_key_file(struct s3_auditor *ret, struct err *err)
{
	const char *path =
	    environment_of((const char *const[]){ "AWS_SHARED_CREDENTIALS_FILE" }, 1);
	const char *profile = environment_of((const char *const[]){ "AWS_PROFILE" }, 1);
	const char *home = getenv("HOME");
	CLEANUP(mem_wiped_freep) char *text = NULL;
	char of_home[512];

	if (profile == NULL)
		profile = "default";
	if (path == NULL) {
		(void)snprintf(
		    of_home, sizeof(of_home), "%s/.aws/credentials", home == NULL ? "" : home);
		path = of_home;
	}
	text = file_read(path, KEYS_MAX, NULL, err);
	if (text == NULL)
		return err_wrap(
		    err, "no keys to read the bucket with: AWS_ACCESS_KEY_ID is not set, and");
	if (!read_keys(ret, text, profile, err))
		return false;
	return (ret->access_key[0] != '\0' && ret->secret_key[0] != '\0') ||
	    err_set(err, ERR_CONFIG,
		"%s: profile %.60s has no aws_access_key_id and aws_secret_access_key", path,
		profile);
}

static bool
find_keys(struct s3_auditor *ret, struct err *err)
{
	const char *access = environment_of((const char *const[]){ "AWS_ACCESS_KEY_ID" }, 1);
	const char *secret = environment_of((const char *const[]){ "AWS_SECRET_ACCESS_KEY" }, 1);
	const char *token = environment_of((const char *const[]){ "AWS_SESSION_TOKEN" }, 1);

	if (access == NULL)
		return read_key_file(ret, err);
	if (secret == NULL)
		return err_set(
		    err, ERR_CONFIG, "AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not");
	return take(ret->access_key, sizeof(ret->access_key), access, "AWS_ACCESS_KEY_ID", err) &&
	    take(ret->secret_key, sizeof(ret->secret_key), secret, "AWS_SECRET_ACCESS_KEY", err) &&
	    (token == NULL ||
		take(ret->token, sizeof(ret->token), token, "AWS_SESSION_TOKEN", err));
}

/* --- the bucket --- */

static bool
find_bucket(
    struct s3_auditor *ret, const char *place, const struct settings *settings, struct err *err)
{
	const char *bucket = settings != NULL ?
	    settings->audit_s3_bucket :
	    environment_of((const char *const[]){ "AUDIT_S3_BUCKET" }, 1);
	size_t size;

	if (text_starts(place, SCHEME)) {
		bucket = place + strlen(SCHEME);
		size = strcspn(bucket, "/");
		if (bucket[size] == '/' &&
		    !take(ret->prefix, sizeof(ret->prefix), bucket + size + 1, place, err))
			return false;
	} else if (bucket == NULL) {
		return err_set(err, ERR_CONFIG,
		    settings != NULL ?
			"which bucket? Say --against s3://BUCKET/FOLDER, or set AUDIT_S3_BUCKET" :
			"which bucket? Say --against s3://BUCKET/FOLDER, set AUDIT_S3_BUCKET in the environment, or leave out the log's path: then it is that of the settings");
	} else {
		size = strlen(bucket);
	}
	if (size < 3 || size >= sizeof(ret->bucket) ||
	    strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789.-") < size)
		return err_set(
		    err, ERR_INVALID, "%.100s names no bucket: 3 to 63 of a-z 0-9 . -", place);
	memcpy(ret->bucket, bucket, size);
	return true;
}

/* Where the bucket of the settings is they say themselves. */
static bool
find_place(struct s3_auditor *ret, const struct settings *settings, struct err *err)
{
	bool is_own = settings != NULL && settings->audit_s3_bucket != NULL &&
	    strcmp(settings->audit_s3_bucket, ret->bucket) == 0;
	const char *region = is_own ?
	    settings->audit_s3_region :
	    environment_of(
		(const char *const[]){ "AWS_REGION", "AWS_DEFAULT_REGION", "AUDIT_S3_REGION" }, 3);
	const char *endpoint = is_own ?
	    settings->audit_s3_endpoint :
	    environment_of((const char *const[]){ "AUDIT_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3",
			       "AWS_ENDPOINT_URL" },
		3);
	size_t size;

	if (region == NULL)
		return err_set(
		    err, ERR_CONFIG, "set AWS_REGION: the region of the bucket, as eu-central-1");
	if (!take(ret->region, sizeof(ret->region), region, "AWS_REGION", err))
		return false;
	if (strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") < strlen(region))
		return err_set(err, ERR_INVALID, "AWS_REGION names no region, as eu-central-1");
	if (endpoint == NULL) {
		(void)snprintf(ret->endpoint, sizeof(ret->endpoint),
		    "https://s3.%s.amazonaws.com%s", region,
		    text_starts(region, "cn-") ? ".cn" : "");
		return true;
	}
	if (!take(ret->endpoint, sizeof(ret->endpoint), endpoint, "the endpoint", err))
		return false;
	size = strlen(ret->endpoint);
	if (size > 0 && ret->endpoint[size - 1] == '/')
		ret->endpoint[size - 1] = '\0';
	if (!text_starts(ret->endpoint, "https://") && !text_starts(ret->endpoint, "http://"))
		return err_set(err, ERR_INVALID, "the endpoint must begin with https://");
	return strpbrk(strchr(ret->endpoint, '/') + 2, "/?#@") == NULL ||
	    err_set(err, ERR_INVALID,
		"the endpoint must be https://HOST or https://HOST:PORT, and no more");
}

bool
cli_audit_s3_auditor(
    const char *place, const struct settings *settings, struct s3_auditor *ret, struct err *err)
{
	*ret = (struct s3_auditor){ .ca_file = environment_of(
					(const char *const[]){ "AWS_CA_BUNDLE" }, 1) };
	if (!find_bucket(ret, place, settings, err) || !find_place(ret, settings, err) ||
	    !find_keys(ret, err))
		return false;
	ret->place = (struct s3_read_place){ .endpoint = ret->endpoint,
		.region = ret->region,
		.bucket = ret->bucket,
		.keys = { ret->access_key, ret->secret_key, ret->token } };
	return true;
}
