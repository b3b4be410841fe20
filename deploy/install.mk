# install.mk - puts deploybot's programs, scripts, units and manuals where they belong; included by the Makefile.
# SPDX-License-Identifier: ISC
# Needs neither the network nor, with DESTDIR, root.  What stands in /etc/deploybot is never replaced.
PREFIX	 ?= /usr/local
DESTDIR	 ?=
LIBDIR	 := $(PREFIX)/lib/deploybot
DOCDIR	 := $(PREFIX)/share/doc/deploybot
MANDIR	 := $(PREFIX)/share/man
UNITDIR	 ?= $(PREFIX)/lib/systemd/system
CONFDIR	 := /etc/deploybot
POLKITDIR := $(PREFIX)/share/polkit-1/rules.d
# Packagers and tests say another: INSTALL_NEEDS= installs what was built before.
INSTALL_NEEDS ?= all
# When the newest change was made, so that the same sources give the same bytes.  `git archive` gives files that time.
SOURCE_DATE_EPOCH ?= $(or $(if $(wildcard .git),$(shell git log -1 --format=%ct 2>/dev/null)),$(shell stat -c %Y CHANGES.md))
MADE	 := $(BUILD)/install
D	  = $(DESTDIR)
UNITS	 := deploybot.socket deploybot-local.socket deploybot.service deploybot-runner.service \
	deploybot-secrets.service deploybot-secrets.timer deploybot-backup.service deploybot-backup.timer \
	deploybot-check.service deploybot-check.timer deploybot-timestamp.service deploybot-timestamp.timer \
	deploybot-remote-runner.service deploybot-agent.service deploybot-link.service deploybot-link-agent.service \
	deploybot-link-runner.service
SCRIPTS	  = $(shell cd deploy && find *.sh ansible setup transports -name __pycache__ -prune -o -type f -print)
EXAMPLES = $(shell cd deploy && find monitoring github gitlab own kubernetes hosts agent -type f 2>/dev/null)
# Of the scripts that an earlier `make install` has put there; hooks.d and transports beside them may be somebody's own.
REMOVE_SCRIPTS = if [[ -f '$(D)$(LIBDIR)/scripts' ]]; then \
	(cd '$(D)$(LIBDIR)/deploy' && xargs -r -d '\n' rm -f -- <../scripts); fi
MANUALS	 := man8/deploybot.8 man8/deploybot-runner.8 man8/deploybot-setup.8 man8/deploybot-agent.8 man8/deploybot-link.8 man5/deploybot.conf.5

.PHONY: install uninstall install-made deb
# Whole each time: they are small, and their sources are many.
install-made: deploy/systemd/conf.sed deploy/man/settings.awk
	@mkdir -p $(MADE)
	@sed -f deploy/systemd/conf.sed .env.example >$(MADE)/deploybot.conf
	@! grep -E '^#?[A-Z_]*(TOKEN|SECRET|PASSWORD|HASH|PREVIOUS)=' $(MADE)/deploybot.conf && grep -q '^RUNNER_SOCKET=/' $(MADE)/deploybot.conf || \
		{ echo "deploy/systemd/conf.sed does not know a setting of .env.example"; exit 1; }
	@day=$$(LC_ALL=C TZ=UTC date -d @$(SOURCE_DATE_EPOCH) '+%B %-d, %Y') && \
	awk -f deploy/man/settings.awk -v version='$(VERSION)' -v date="$$day" \
		lib/setting.def runner/settings.def server/types/settings.def .env.example >$(MADE)/deploybot.conf.5 && \
	for page in deploybot.8 deploybot-runner.8 deploybot-setup.8 deploybot-agent.8 deploybot-link.8; do \
		sed "s/@DATE@/$$day/; s/@VERSION@/$(VERSION)/; s|/usr/lib/deploybot/|$(LIBDIR)/|; \
			s|/usr/share/doc/deploybot/|$(DOCDIR)/|" deploy/man/$$page >$(MADE)/$$page || exit; \
	done
	@for unit in $(UNITS); do \
		sed 's|/usr/lib/deploybot/|$(LIBDIR)/|g' deploy/systemd/$$unit >$(MADE)/$$unit || exit; \
	done

install: $(INSTALL_NEEDS) install-made
	@install -d '$(D)$(PREFIX)/bin' '$(D)$(LIBDIR)/deploy'
	@install -m 0755 $(BUILD)/deploybot $(BUILD)/deploybot-runner $(BUILD)/deploybot-remote-runner $(BUILD)/deploybot-judge $(BUILD)/deploybot-agent $(BUILD)/deploybot-link \
		$(BUILD)/deploybot-unpack \
		'$(D)$(LIBDIR)/'
	@ln -sfn ../lib/deploybot/deploybot '$(D)$(PREFIX)/bin/deploybot'
	@cd deploy && $(REMOVE_SCRIPTS) && for name in $(SCRIPTS); do \
		mode=0644; [[ ! -x $$name ]] || mode=0755; \
		install -D -m $$mode "$$name" '$(D)$(LIBDIR)/deploy/'"$$name" || exit; \
	done && printf '%s\n' $(SCRIPTS) >'$(D)$(LIBDIR)/scripts'
	@install -d '$(D)$(PREFIX)/sbin' && ln -sfn ../lib/deploybot/deploy/setup.sh '$(D)$(PREFIX)/sbin/deploybot-setup'
	@install -d '$(D)$(UNITDIR)' '$(D)$(PREFIX)/lib/sysusers.d' '$(D)$(PREFIX)/lib/tmpfiles.d' '$(D)/etc/logrotate.d'
	@install -m 0644 $(UNITS:%=$(MADE)/%) '$(D)$(UNITDIR)/'
	@install -m 0644 deploy/systemd/sysusers.conf '$(D)$(PREFIX)/lib/sysusers.d/deploybot.conf'
	@install -D -m 0644 deploy/agent/sysusers.conf '$(D)$(PREFIX)/lib/sysusers.d/deploybot-agent.conf'
	@install -D -m 0644 deploy/agent/50-deploybot-agent.rules '$(D)$(POLKITDIR)/50-deploybot-agent.rules'
	@install -m 0644 deploy/systemd/tmpfiles.conf '$(D)$(PREFIX)/lib/tmpfiles.d/deploybot.conf'
	@install -m 0644 deploy/systemd/logrotate.conf '$(D)/etc/logrotate.d/deploybot'
	@install -d -m 0755 '$(D)$(CONFDIR)'
	@if [[ -e '$(D)$(CONFDIR)/deploybot.conf' ]]; then echo "kept: $(D)$(CONFDIR)/deploybot.conf"; \
		else install -m 0640 $(MADE)/deploybot.conf '$(D)$(CONFDIR)/deploybot.conf'; fi
	@install -d $(addprefix '$(D)$(MANDIR)'/,man5 man8)
	@for page in $(MANUALS); do install -m 0644 "$(MADE)/$${page##*/}" '$(D)$(MANDIR)/'"$$page" || exit; done
	@install -D -m 0644 server/cli/completion/deploybot.bash '$(D)$(PREFIX)/share/bash-completion/completions/deploybot'
	@install -D -m 0644 deploy/completion/deploybot-setup.bash \
		'$(D)$(PREFIX)/share/bash-completion/completions/deploybot-setup'
	@for file in server/cli/completion/deploybot deploy/completion/deploybot-setup; do \
		name=$${file##*/} && \
		install -D -m 0644 $$file.zsh '$(D)$(PREFIX)/share/zsh/vendor-completions/_'$$name && \
		install -D -m 0644 $$file.fish '$(D)$(PREFIX)/share/fish/vendor_completions.d/'$$name.fish || exit; \
	done
	@install -d '$(D)$(DOCDIR)/examples/nginx'
	@install -m 0644 README.md SECURITY.md CHANGES.md LICENSE $(wildcard docs/*.md) docs/openapi.json '$(D)$(DOCDIR)/'
	@install -D -m 0644 -t '$(D)$(DOCDIR)/walks' docs/walks/*.md
	@install -m 0644 $(MADE)/deploybot.conf '$(D)$(DOCDIR)/examples/'
	@install -m 0644 $(wildcard nginx/*.conf) nginx/shipped '$(D)$(DOCDIR)/examples/nginx/'
	@cd deploy && for name in $(EXAMPLES); do \
		mode=0644; [[ ! -x $$name ]] || mode=0755; \
		install -D -m $$mode "$$name" '$(D)$(DOCDIR)/examples/'"$$name" || exit; \
	done
	@$(if $(D),,echo "installed; now, as root:"; \
		echo "  systemd-sysusers deploybot.conf && systemd-tmpfiles --create deploybot.conf && systemctl daemon-reload"; \
		echo "  then deploybot-setup; or by hand: edit $(CONFDIR)/deploybot.conf, put the secrets into $(CONFDIR)/secrets, and:"; \
		echo "  systemctl enable --now deploybot.socket deploybot-local.socket deploybot-runner deploybot")

# Leaves what an installation has made its own: hooks, transports, /etc/deploybot, /var/lib/deploybot*, /var/log/deploybot, the users.
uninstall:
	@if [[ -z '$(D)' && -d /run/systemd/system ]]; then \
		systemctl disable --now $(UNITS) || true; fi
	@[[ ! -d '$(D)$(LIBDIR)/deploy' ]] || { $(REMOVE_SCRIPTS) && cd '$(D)$(LIBDIR)' && rm -f -- scripts deploybot deploybot-runner deploybot-remote-runner deploybot-judge deploybot-agent deploybot-link deploybot-unpack \
		$(SCRIPTS:%=deploy/%) && find '$(D)$(LIBDIR)' -depth -type d -empty -delete; }
	@[[ ! -d '$(D)$(LIBDIR)' ]] || { echo "left, as they are yours:" && find '$(D)$(LIBDIR)' ! -type d; }
	@rm -rf '$(D)$(DOCDIR)'
	@rm -f '$(D)$(PREFIX)/bin/deploybot' '$(D)$(PREFIX)/sbin/deploybot-setup' $(UNITS:%='$(D)$(UNITDIR)/%') '$(D)/etc/logrotate.d/deploybot' \
		'$(D)$(PREFIX)/lib/sysusers.d/deploybot.conf' '$(D)$(PREFIX)/lib/sysusers.d/deploybot-agent.conf' \
		'$(D)$(POLKITDIR)/50-deploybot-agent.rules' '$(D)$(PREFIX)/lib/tmpfiles.d/deploybot.conf' \
		'$(D)$(PREFIX)/share/bash-completion/completions/deploybot' \
		'$(D)$(PREFIX)/share/bash-completion/completions/deploybot-setup' '$(D)$(PREFIX)/share/zsh/vendor-completions/_deploybot' \
		'$(D)$(PREFIX)/share/zsh/vendor-completions/_deploybot-setup' \
		'$(D)$(PREFIX)/share/fish/vendor_completions.d/deploybot.fish' \
		'$(D)$(PREFIX)/share/fish/vendor_completions.d/deploybot-setup.fish' $(MANUALS:%='$(D)$(MANDIR)/%')
	@echo "left: $(CONFDIR), /var/lib/deploybot, /var/lib/deploybot-runner, /var/lib/deploybot-remote-runner, /var/log/deploybot, the users"

# What a release consists of, from build/deb/: packages with their SBOMs, sums and a signature in build/release/, an apt
# repository in build/apt/.  KEY: the fingerprint of a key in gpg's keyring.  OLDER: packages that stay in the
# repository; SBOMS: those of images.  A package that was left there by another commit is refused before anything is
# signed.
RELEASE	 := $(BUILD)/release
APT	 := $(BUILD)/apt
KEY	 ?=
OLDER	 ?=
SBOMS	 ?=
.PHONY: release
release:
	@tests/tools/packages.sh release
	@[[ '$(KEY)' =~ ^[0-9A-F]{40}$$ ]] || { echo "KEY= names the key that signs, by its fingerprint: make release KEY=..."; exit 1; }
	@for deb in $(DEB)/deploybot_*.deb; do \
		[[ -f $$deb ]] || { echo "$(DEB) has no package: make deb first"; exit 1; }; \
		version=$$(dpkg-deb --field "$$deb" Version) || exit; \
		[[ $$version == '$(DEB_VERSION)' ]] || { echo "$$deb is of $$version, and this tree is $(DEB_VERSION) (lib/version.sh: $(VERSION)): make deb first"; \
			exit 1; }; \
	done
	@rm -rf $(RELEASE) $(APT) && mkdir -p $(RELEASE)
	@for deb in $(DEB)/deploybot_*.deb; do \
		SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(PYTHON) deploy/release/sbom.py deb "$$deb" "$${deb%.deb}.buildinfo" \
			>$(RELEASE)/"$$(basename "$${deb%.deb}")".spdx.json && cp "$$deb" $(RELEASE)/ || exit; \
	done
	@$(if $(SBOMS),cp $(SBOMS) $(RELEASE)/)
	@deploy/release/sums.sh $(RELEASE) $(KEY)
	@deploy/release/apt.sh $(APT) $(KEY) $(DEB)/deploybot_*.deb $(OLDER)

# deploybot_VERSION_ARCH.deb in build/deb/.  The tree is copied, so that debhelper's folder is not made in it.
# A package of 0.2.0-14-gabc is 0.2.0+14.gabc: dpkg has that after 0.2.0, and before 0.2.1.  debian/rules goes back.
DEB	 := $(BUILD)/deb
DEB_VERSION = $(shell sed 's/-/+/; s/-/./g' <<<'$(VERSION)')
DEB_TREE  = $(DEB)/deploybot-$(DEB_VERSION)
deb:
	@tests/tools/packages.sh build deb
	@rm -rf $(DEB_TREE) $(DEB)/*.deb && mkdir -p $(DEB_TREE)
	@cp -r Makefile CHANGES.md LICENSE README.md SECURITY.md .env.example lib judge agent link runner server deploy nginx docs $(DEB_TREE)/
	@cp -r deploy/debian $(DEB_TREE)/debian
	@printf 'deploybot (%s) unstable; urgency=medium\n\n  * What is new: /usr/share/doc/deploybot/CHANGES.md\n\n -- %s  %s\n' \
		'$(DEB_VERSION)' "$$(sed -n 's/^Maintainer: //p' deploy/debian/control)" \
		"$$(LC_ALL=C TZ=UTC date -R -d @$(SOURCE_DATE_EPOCH))" >$(DEB_TREE)/debian/changelog
	@cd $(DEB_TREE) && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS -u BUILD -u SANITIZE -u DESTDIR -u PREFIX \
		DEB_BUILD_OPTIONS="parallel=$(JOBS) $(DEB_BUILD_OPTIONS)" dpkg-buildpackage -b -us -uc
	@rm -rf $(DEB_TREE)
	@ls -l $(DEB)/*.deb
