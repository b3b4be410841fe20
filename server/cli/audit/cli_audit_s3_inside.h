/* cli_audit_s3_inside.h - the auditor's keys and the bucket, for cli_audit_s3*.c.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "clients/s3_read.h"

struct settings;

struct s3_auditor {
	struct s3_read_place place; /* of what stands below */
	char endpoint[512], region[SIGV4_REGION_MAX + 1], bucket[64], prefix[1025];
	char access_key[SIGV4_ACCESS_KEY_MAX + 1], secret_key[SIGV4_SECRET_KEY_MAX + 1];
	char token[SIGV4_TOKEN_MAX + 1];
	const char *ca_file; /* AWS_CA_BUNDLE; NULL: the system's */
};

/*
 * "s3" (AUDIT_S3_BUCKET), "s3://BUCKET", "s3://BUCKET/PREFIX".  Of that bucket the settings say
 * region and endpoint.  Of another one, and without settings (NULL: a log alone is looked at), the
 * environment does: AWS_REGION, AWS_DEFAULT_REGION or AUDIT_S3_REGION, another endpoint of
 * AUDIT_S3_ENDPOINT, AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL.  The keys are never the server's,
 * which may write alone: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, else of
 * the file that AWS_SHARED_CREDENTIALS_FILE names (~/.aws/credentials), profile AWS_PROFILE
 * (default).
 */
bool cli_audit_s3_auditor(const char *place, const struct settings *settings,
    struct s3_auditor *ret, struct err *err) MUST_USE;
