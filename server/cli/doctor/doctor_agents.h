/* doctor_agents.h - what of deploybot-link and of Ansible can be seen from the server's machine.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/limits.h"

struct doctor;
struct environment_settings;
struct json;
struct settings;

/* Where LINK_ADDRESS is set: the certificates of agents' authority and of deploybot-link, and its
 * socket.  At once, and for check-config too. */
void doctor_link(struct doctor *doctor);

/* Asynchronous: deploybot-link at LINK_ADDRESS, looked at as a host does that enrols. */
void doctor_link_asked(struct doctor *doctor);

/* Each of RUNNERS, and each agent of an environment or client, or those of one environment, as the
 * running server says it to an admin: enrolled, connected, may it release, and until when its
 * certificate counts.  Waits for the answers.  False: it says nothing to us, which is a finding. */
bool doctor_runners(struct doctor *doctor, const struct environment_settings *only);

/* Pure, for tests: one of the lists of /v1/agents or /v1/runners; role: "agent" or "runner";
 * releases: that is what it is there for. */
void doctor_judge_peer(struct doctor *doctor, const char *role, const struct json *peer,
    bool releases, int64_t at);

/* Is the environment a remote runner's, or released to through agents, so that the local runner's
 * scripts have nothing to say of it?  ret: what is said then.  s NULL: the settings are not ours to
 * read, and the file's lines count. */
bool doctor_is_elsewhere(const struct settings *s, const char *env_file, const char *environment,
    char ret[LIMIT_LINE]) MUST_USE;

/* Where ANSIBLE_FOLDER is set: are the playbooks there?  At once, and for check-config too. */
void doctor_ansible(struct doctor *doctor);

/* Runs ansible-playbook --version, for at most DOCTOR_PATIENCE_MS.  It forks. */
void doctor_ansible_asked(struct doctor *doctor);
