/* doctor_gitlab.h - is GitLab's API open to the token, and is its webhook on?  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

struct doctor;
struct forge_api;

/* Of each project that a GITLAB_API_TOKEN is for: asks by `api`, which is to live until the end of
 * the examination. */
void doctor_gitlab(struct doctor *doctor, struct forge_api *api);
