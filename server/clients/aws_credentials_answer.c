/* aws_credentials_answer.c - reads what the metadata of a container or a machine says of a role.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "clients/aws_credentials_answer.h"

#include <stdio.h>
#include <time.h>

#include "lib/clean.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"
#include "lib/url.h"

#define CONTAINER "http://169.254.170.2"

/* By its name; the address that it comes to is looked at as well (types/outbound.h). */
static bool
is_near(const char *url)
{
	static const char *const hosts[] = { "localhost", "169.254.170.2", "169.254.170.23" };
	char host[URL_HOST];

	(void)url_host(url, host);
	return text_starts(url, "http://[::1]") || text_starts(url, "http://[fd00:ec2::23]") ||
	    text_starts(host, "127.") || text_index(host, hosts, COUNT(hosts)) < COUNT(hosts);
}

bool
aws_container_url(const struct aws_source *source, char *out, size_t room, struct err *err)
{
	const char *relative = source->relative_uri, *full = source->full_uri;

	out[0] = '\0';
	if (relative != NULL && relative[0] != '\0') {
		if (relative[0] != '/' || !text_is_plain(relative) ||
		    snprintf(out, room, CONTAINER "%s", relative) >= (int)room)
			return err_set(err, ERR_CONFIG,
			    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is no path, from its / on");
		return true;
	}
	if (full == NULL || full[0] == '\0')
		return true;
	if (!text_is_plain(full) || !text_copy(out, room, full) ||
	    !(text_starts(full, "https://") || (text_starts(full, "http://") && is_near(full))))
		return err_set(err, ERR_CONFIG,
		    "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https:// nor http:// to this machine, 169.254.170.2, 169.254.170.23 or [fd00:ec2::23]");
	return true;
}

bool
aws_read_role(const char *body, size_t size, char out[AWS_ROLE_MAX], struct err *err)
{
	while (size > 0 && (body[size - 1] == '\n' || body[size - 1] == '\r'))
		size--;
	if (size == 0 || size >= AWS_ROLE_MAX || memchr(body, '\0', size) != NULL)
		return err_set(err, ERR_INVALID, "the machine's metadata names no role");
	memcpy(out, body, size);
	out[size] = '\0';
	if (strspn(out, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+=,.@_-") !=
	    size)
		return err_set(err, ERR_INVALID, "the machine's metadata names no role");
	return true;
}

/* "2026-11-22T16:00:00Z" */
static bool
read_moment(const char *text, int64_t *ret)
{
	struct tm tm = { 0 };
	const char *end = text == NULL ? NULL : strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (end == NULL || end[strcspn(end, "Z")] != 'Z')
		return false;
	*ret = (int64_t)timegm(&tm) * 1000;
	return true;
}

/* Both stand in one, beside words of ours. */
static bool
fits_in_header(const char *text)
{
	return text_is_plain(text) && text[strcspn(text, " ,")] == '\0';
}

bool
aws_read_keys(const char *body, size_t size, int64_t at, struct aws_keys *ret, struct err *err)
{
	CLEANUP(json_freep) struct json *root = json_decode(body, size, NULL);
	const char *code = json_get_str(root, "Code"), *access = json_text(root, "AccessKeyId"),
		   *secret = json_text(root, "SecretAccessKey"),
		   *token = json_get_str(root, "Token");
	char said[64];

	if (code != NULL && strcmp(code, "Success") != 0)
		return err_set(err, ERR_DENIED, "the role has no keys now: %s",
		    clean_line(said, sizeof(said), code, strlen(code)));
	if (access[0] == '\0' || secret[0] == '\0' || token == NULL ||
	    !text_copy(ret->access_key, sizeof(ret->access_key), access) ||
	    !text_copy(ret->secret_key, sizeof(ret->secret_key), secret) ||
	    !text_copy(ret->token, sizeof(ret->token), token) || !fits_in_header(access) ||
	    !fits_in_header(token) ||
	    !read_moment(json_get_str(root, "Expiration"), &ret->expires_at))
		return err_set(err, ERR_INVALID, "the answer has no keys of a role");
	if (ret->expires_at <= at)
		return err_set(
		    err, ERR_INVALID, "the role's keys have expired: is the clock right?");
	return true;
}
