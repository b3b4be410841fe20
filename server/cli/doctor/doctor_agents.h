/* doctor_agents.h - what of deploybot-link and of Ansible can be seen from the server's machine.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

struct doctor;

/* Where LINK_ADDRESS is set: the certificates of agents' authority and of deploybot-link, and its
 * socket.  At once, and for check-config too. */
void doctor_link(struct doctor *doctor);

/* Asynchronous: deploybot-link at LINK_ADDRESS, looked at as a host does that enrols. */
void doctor_link_asked(struct doctor *doctor);

/* Where ANSIBLE_FOLDER is set: are the playbooks there?  At once, and for check-config too. */
void doctor_ansible(struct doctor *doctor);

/* Runs ansible-playbook --version, for at most DOCTOR_PATIENCE_MS.  It forks. */
void doctor_ansible_asked(struct doctor *doctor);
