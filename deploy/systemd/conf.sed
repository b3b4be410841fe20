# Makes of .env.example the deploybot.conf of an installation: no secret in it, only the names of their files.
# SPDX-License-Identifier: ISC
1,/^$/c\
# Settings of deploybot: deploybot.conf(5), or `deploybot check-config`, which says what is wrong with them.\
# A line that begins with #NAME= shows the default.  Required: TELEGRAM_BOT_TOKEN_FILE, ADMIN_TELEGRAM_IDS, and\
# GITHUB_REPOSITORY or REPOSITORY_URL.\
#\
# No secret stands here: server and runner both read this file.  A secret is a file of its own, made like this:\
#   install -m 0600 -o deploybot /dev/stdin /etc/deploybot/secrets/server/telegram_bot_token   (then type it, Ctrl-D)\
#   install -m 0600 -o deploybot-runner /dev/stdin /etc/deploybot/secrets/runner/registry_password\
#\
# A change is noticed within seconds, `systemctl reload deploybot` reads it at once: all is valid, or the old settings\
# stay and the log says what is wrong.  What is read at start holds from `systemctl restart deploybot` on.\

s/^# A secret; \([A-Z0-9_<>]*\)_FILE may name a file that holds it\.$/# A secret: this names the file that holds it./
s|^TELEGRAM_BOT_TOKEN=$|TELEGRAM_BOT_TOKEN_FILE=/etc/deploybot/secrets/server/telegram_bot_token|
s|^#TELEGRAM_WEBHOOK_SECRET=$|#TELEGRAM_WEBHOOK_SECRET_FILE=/etc/deploybot/secrets/server/telegram_webhook_secret|
s|^#TELEGRAM_WEBHOOK_SECRET_PREVIOUS=$|#TELEGRAM_WEBHOOK_SECRET_PREVIOUS_FILE=/etc/deploybot/secrets/server/telegram_webhook_secret_previous|
s|^#TELEGRAM_API_HASH=$|#TELEGRAM_API_HASH_FILE=/etc/deploybot/secrets/server/telegram_api_hash|
s|^#GITHUB_WEBHOOK_SECRET=$|#GITHUB_WEBHOOK_SECRET_FILE=/etc/deploybot/secrets/server/github_webhook_secret|
s|^#GITHUB_WEBHOOK_SECRET_PREVIOUS=$|#GITHUB_WEBHOOK_SECRET_PREVIOUS_FILE=/etc/deploybot/secrets/server/github_webhook_secret_previous|
s|^#GITHUB_APP_KEY=$|#GITHUB_APP_KEY_FILE=/etc/deploybot/secrets/server/github_app_key|
s|^#GITHUB_APP_WEBHOOK_SECRET=$|#GITHUB_APP_WEBHOOK_SECRET_FILE=/etc/deploybot/secrets/server/github_app_webhook_secret|
s|^#GITHUB_APP_WEBHOOK_SECRET_PREVIOUS=$|#GITHUB_APP_WEBHOOK_SECRET_PREVIOUS_FILE=/etc/deploybot/secrets/server/github_app_webhook_secret_previous|
s|^#GITHUB_API_TOKEN=$|#GITHUB_API_TOKEN_FILE=/etc/deploybot/secrets/server/github_api_token|
s|^#GITLAB_API_TOKEN=$|#GITLAB_API_TOKEN_FILE=/etc/deploybot/secrets/server/gitlab_api_token|
s|^#VAULT_TOKEN=$|#VAULT_TOKEN_FILE=/etc/deploybot/secrets/server/vault_token|
s|^#OPA_TOKEN=$|#OPA_TOKEN_FILE=/etc/deploybot/secrets/server/opa_token|
s|^#PROMETHEUS_TOKEN=$|#PROMETHEUS_TOKEN_FILE=/etc/deploybot/secrets/server/prometheus_token|
s|^#VAULT_SECRET_ID=$|#VAULT_SECRET_ID_FILE=/etc/deploybot/secrets/server/vault_secret_id|
s|^#AUTH_TOKEN_SECRET=$|#AUTH_TOKEN_SECRET_FILE=/etc/deploybot/secrets/server/auth_token_secret|
s|^#AUTH_TOKEN_SECRET_PREVIOUS=$|#AUTH_TOKEN_SECRET_PREVIOUS_FILE=/etc/deploybot/secrets/server/auth_token_secret_previous|
s|^#WEBHOOK_API_SECRET=$|#WEBHOOK_API_SECRET_FILE=/etc/deploybot/secrets/server/webhook_api_secret|
s|^#WEBHOOK_API_SECRET_PREVIOUS=$|#WEBHOOK_API_SECRET_PREVIOUS_FILE=/etc/deploybot/secrets/server/webhook_api_secret_previous|
s|^#FORGE_WEBHOOK_SECRET=$|#FORGE_WEBHOOK_SECRET_FILE=/etc/deploybot/secrets/server/forge_webhook_secret|
s|^#FORGE_WEBHOOK_SECRET_PREVIOUS=$|#FORGE_WEBHOOK_SECRET_PREVIOUS_FILE=/etc/deploybot/secrets/server/forge_webhook_secret_previous|
s|^#NOTIFY_STATUS_PAGE_URL=$|#NOTIFY_STATUS_PAGE_URL_FILE=/etc/deploybot/secrets/server/notify_status_page_url|
s|^#NOTIFY_STATUS_PAGE_SECRET=$|#NOTIFY_STATUS_PAGE_SECRET_FILE=/etc/deploybot/secrets/server/notify_status_page_secret|
s|^#NOTIFY_STATUS_PAGE_SECRET_PREVIOUS=$|#NOTIFY_STATUS_PAGE_SECRET_PREVIOUS_FILE=/etc/deploybot/secrets/server/notify_status_page_secret_previous|
s|^#HOOK_BUILD_DONE_SECRET=$|#HOOK_BUILD_DONE_SECRET_FILE=/etc/deploybot/secrets/server/hook_build_done_secret|
s|^#HOOK_BUILD_DONE_SECRET_PREVIOUS=$|#HOOK_BUILD_DONE_SECRET_PREVIOUS_FILE=/etc/deploybot/secrets/server/hook_build_done_secret_previous|
s|^#WORKFLOW_DEPLOY_KEY=$|#WORKFLOW_DEPLOY_KEY_FILE=/etc/deploybot/secrets/server/workflow_deploy_key|
s|^#WORKFLOW_DEPLOY_KEY_PREVIOUS=$|#WORKFLOW_DEPLOY_KEY_PREVIOUS_FILE=/etc/deploybot/secrets/server/workflow_deploy_key_previous|
s|^#LINK_CA_KEY=$|#LINK_CA_KEY_FILE=/etc/deploybot/secrets/server/link_ca_key|
s|^#LINK_ORDER_KEY=$|#LINK_ORDER_KEY_FILE=/etc/deploybot/secrets/server/link_order_key|
s|^#DATABASE_URL=$|#DATABASE_URL_FILE=/etc/deploybot/secrets/server/database_url|
s|^#TOTP_KEY_FILE=$|#TOTP_KEY_FILE=/etc/deploybot/secrets/server/totp_key|
s|^#CLOUDFLARE_API_TOKEN=$|#CLOUDFLARE_API_TOKEN_FILE=/etc/deploybot/secrets/server/cloudflare_api_token|
s|^#AUDIT_S3_SECRET_ACCESS_KEY=$|#AUDIT_S3_SECRET_ACCESS_KEY_FILE=/etc/deploybot/secrets/server/audit_s3_secret_access_key|
s|^#REPOSITORY_TOKEN=$|#REPOSITORY_TOKEN_FILE=/etc/deploybot/secrets/runner/repository_token|
s|^#REGISTRY_PASSWORD=$|#REGISTRY_PASSWORD_FILE=/etc/deploybot/secrets/runner/registry_password|
s|^#REGISTRY_PULL_PASSWORD=$|#REGISTRY_PULL_PASSWORD_FILE=/etc/deploybot/secrets/runner/registry_pull_password|
s|^#REGISTRY_BASE_PASSWORD=$|#REGISTRY_BASE_PASSWORD_FILE=/etc/deploybot/secrets/runner/registry_base_password|
s|^#ANSIBLE_VAULT_PASSWORD=$|#ANSIBLE_VAULT_PASSWORD_FILE=/etc/deploybot/secrets/runner/ansible_vault_password|
s|^#REPOSITORY_KEY_PATH=$|#REPOSITORY_KEY_PATH=/etc/deploybot/secrets/runner/repository_key|
s|^#REPOSITORY_KNOWN_HOSTS=$|#REPOSITORY_KNOWN_HOSTS=/etc/deploybot/secrets/runner/known_hosts|
s|^#SSH_KEY_PATH=.*|SSH_KEY_PATH=/etc/deploybot/secrets/runner/deploy_key|
s|^#SSH_KNOWN_HOSTS=.*|SSH_KNOWN_HOSTS=/etc/deploybot/secrets/runner/known_hosts|
s|^#RUNNER_SOCKET=.*|RUNNER_SOCKET=/run/deploybot-runner/runner.sock|
