/* repository.h - whose repository is it: deliveries and polls find their applications.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/delivery.h"

struct environment_settings;
struct settings;

/* Does a delivery of that forge that names this repository ("owner/name", "group/sub/name", without
 * case) and came by that webhook ("": the main file's, else the application's own) concern the
 * application?  One with a secret of its own for that kind of forge is reached by its own webhook
 * alone.  Where only REPOSITORY_URL is set, GitHub's is compared with its last two parts, another
 * forge's with its path; a webhook that belongs to one application alone needs neither. */
bool repository_is_announced(const struct settings *main_settings,
    const struct settings *application, enum delivery_forge forge, const char *hook,
    const char *repository);

/* By which webhook deliveries reach the application: "" the main file's, else its own name. */
const char *repository_hook(const struct settings *application, enum delivery_forge forge);

/* Does what GitHub's App has sent of that repository concern it?  By its name alone; pushes only
 * where no webhook of its own is to bring them, or GITHUB_APP_PUSHES says so. */
bool repository_is_apps(
    const struct settings *application, const char *repository, bool is_push);

/* Has the application that repository at that forge ("owner/name", without case)? */
bool repository_is_called(const struct settings *application, enum delivery_forge forge,
    const char *repository);

/* Do both fetch the same with the same credentials: is it asked once for both? */
bool repository_is_shared(const struct settings *a, const struct settings *b);

/* How often its own settings want it asked for new commits; 0: never.  And the shortest of all. */
int repository_poll_of(const struct settings *application);
int repository_poll_seconds(const struct settings *main_settings);

/* Is git asked for the head of this environment's branch, and does a deployment follow from what it
 * says?  Not while what runs there is not known (unknown_since: wall ms, 0: it is known), nor of
 * one that the settings no longer have (NULL). */
bool repository_is_polled(const struct environment_settings *environment, int64_t unknown_since);

/* Is there a webhook that could be the application's, and can no delivery name its repository? */
bool
repository_is_unreached(const struct settings *main_settings, const struct settings *application);

/* Another application of the same repository that another webhook reaches: the repository needs
 * both at its host.  NULL: there is none. */
const struct settings *
repository_other_hook(const struct settings *main_settings, const struct settings *application);
