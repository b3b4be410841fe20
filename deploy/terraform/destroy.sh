#!/usr/bin/env bash
# destroy.sh [OPTION]... - deletes what terraform made here, also without its state and where half is gone; asks first.
# SPDX-License-Identifier: ISC
# `terraform destroy` is the way while its state is there: it cannot empty the registry and the audit log, this can.
# Deleted is only what carries our tags; what AWS does not give back yet is said, and the next run goes on there.
# shellcheck disable=SC2317 # what deletes is called by the name that stands in the list
set -uo pipefail

project=myapp
region=us-east-1
maker=deploybot-terraform
region=${AWS_REGION:-${AWS_DEFAULT_REGION:-$region}}
dry='' force='' bypass='' snapshots=''

usage() {
	cat <<-END
		Usage: destroy.sh [--project NAME] [--region REGION] [--dry-run] [--force] [--snapshots]
		                  [--bypass-governance]

		Deletes, in one account and region of AWS, what deploy/terraform made and tagged: machines, addresses, network
		and its flow log, key pair, roles, the registry with its images, and of the audit log what Object Lock gives back.
		Snapshots of disks stay, and are listed.

		  --project NAME        variable "project" of terraform ($project)
		  --region REGION       variable "region" of terraform (\$AWS_REGION, or us-east-1: $region)
		  --dry-run             print each command that would be run, and run none: AWS is not even asked what is there
		  --force               do not ask; without it DESTROY has to be typed
		  --snapshots           delete the snapshots of disks too: they are the last copy of what was on the machines
		  --bypass-governance   delete locked entries of the audit log too (needs s3:BypassGovernanceRetention, and can
		                        do nothing where the mode is COMPLIANCE)
		  --help                this text

		Exit status: 0 nothing of ours is there any more but what is said to stay, 1 something is left or AWS could not be
		asked, 2 wrong options.
	END
}

say() { printf '%s\n' "$*"; }
wrong_use() { printf 'destroy.sh: %s; --help says what there is\n' "$*" >&2; exit 2; }

while (($# > 0)); do
	case $1 in
	--project | --region)
		[[ ${2:-} == [!-]* ]] || wrong_use "$1 needs a value"
		if [[ $1 == --project ]]; then project=$2; else region=$2; fi
		shift
		;;
	--dry-run) dry=1 ;;
	--force) force=1 ;;
	--snapshots) snapshots=1 ;;
	--bypass-governance) bypass=1 ;;
	--help) usage; exit 0 ;;
	*) wrong_use "unknown option $1" ;;
	esac
	shift
done
[[ $project =~ ^[a-z][a-z0-9]*(-[a-z0-9]+)*$ && ${#project} -ge 2 && ${#project} -le 20 ]] ||
	wrong_use "--project is no name that terraform takes: '$project'"
[[ $region =~ ^[a-z]{2}(-[a-z]+)+-[1-9]$ ]] || wrong_use "--region is no region's name: '$region'"
[[ ! $region =~ ^(cn|us-gov|us-iso[a-z]*)- ]] || wrong_use "--region $region: terraform makes nothing in China or GovCloud"

# Made by terraform under these names; roles, profiles and the bucket have no list that could be asked for a tag.
roles=("$project-app" "$project-deploy" "$project-deploybot" "$project-flow" "$project-snapshots")
profiles=("$project-app" "$project-deploybot")
policies=("$project-deploybot" "$project-people")
oidc="oidc-provider/token.actions.githubusercontent.com"

what=()   # what is to be deleted, in words
how=()    # the function that deletes it, and its arguments: ids and names, without blanks
why=()    # why it is still there
left=()   # what could not even be looked at, or is another region's
kept=()   # what stays on purpose
phase=looking

# ---- the end ------------------------------------------------------------------------------------

list_left() {
	local i
	((${#left[@]} + ${#todo[@]} > 0)) || return 0
	say ""
	say "LEFT in $region of account ${account:-unknown}:"
	for i in "${todo[@]}"; do say "  ${what[i]}: ${why[i]:-not reached}"; done
	((${#left[@]} == 0)) || printf '  %s\n' "${left[@]}"
}

stop() { # WHY - nothing more can be done now
	if [[ $phase == looking ]]; then
		say "Nothing was deleted."
	else
		list_left
	fi
	printf 'destroy.sh: %s\n' "$1" >&2
	exit 1
}

interrupted() {
	trap '' INT TERM
	[[ $phase == looking ]] || list_left
	printf 'destroy.sh: interrupted; run it again: it goes on where it stopped\n' >&2
	exit 130
}

# ---- aws ----------------------------------------------------------------------------------------

# As one would type it; $NAME stands for what would have been looked up.
print_command() {
	local word line='' note='' plain='^[][A-Za-z0-9_./:=,@%+$-]+$'
	for word in "$@"; do
		[[ $word =~ ^\$([A-Z_]+_ID)$ ]] && note="    # each of \$${BASH_REMATCH[1]}S"
		[[ $word =~ $plain && $word != *[][]* ]] || word="\"$word\""
		line+="${line:+ }$word"
	done
	say "$assigned$line$redirected${assigned:+)}$note"
}

assigned='' redirected=''

# "An error occurred (CODE) when calling the NAME operation (reached max retries: 9): TEXT"; a waiter names no operation.
refusal='error occurred \(([A-Za-z0-9._-]+)\)( when calling the [A-Za-z]+ operation( \([^)]*\))?)?: *(.*)$'

# Runs aws.  What it answers is in $answer; when it refuses, $code is AWS's word for it and $message the rest.
call() { # WORDS...
	local complaint status
	answer='' code='' message=''
	if [[ -n $dry ]]; then
		print_command aws "$@"
		return 0
	fi
	answer=$(aws "$@" 2>"$scratch/complaint" </dev/null)
	status=$?
	((status != 0)) || return 0
	complaint=$(grep 'error occurred' "$scratch/complaint" || grep . "$scratch/complaint" | tail -n 1)
	if [[ $complaint =~ $refusal ]]; then
		code=${BASH_REMATCH[1]} message=${BASH_REMATCH[4]:0:400}
	else
		code=aws-$status message=${complaint:-aws ended with status $status and said nothing}
	fi
	stop_when_all_would_fail
	return 1
}

stop_when_all_would_fail() {
	case $code:$message in
	Expired* | RequestExpired:* | InvalidClientTokenId:* | UnrecognizedClientException:* | InvalidToken:* | \
		SignatureDoesNotMatch:* | AuthFailure:*credentials* | aws-*:*"locate credentials"* | aws-*:*SSO* | \
		aws-*:*"oken has expired"*)
		stop "AWS takes no credentials of yours for $region ($message): log in (aws sso login) and run it again"
		;;
	aws-*:*"onnect to the endpoint"* | aws-*:*"onnect timeout"* | aws-*:*"ead timeout"* | aws-*:*"onnection was closed"*)
		stop "AWS is not reached ($message): look at your network and at --region $region, and run it again"
		;;
	OptInRequired:*) stop "the account does not use $region ($message): is --region right?" ;;
	aws-252:* | aws-2:*) stop "this aws knows not every command ($message): install a newer awscli and run it again" ;;
	aws-126:* | aws-127:*) stop "aws does not run ($message): install awscli and run it again" ;;
	esac
}

is_gone() { [[ $code == *NotFound* || $code == NoSuch* || $code == Gateway.NotAttached ]]; }

# Runs a command that changes something.  What is gone already is as good as deleted; else $reason is set.
change() { # WORDS...
	call "$@" && return 0
	is_gone && return 0
	reason="$code: $message"
	return 1
}

# Asks for lines, into $found: the first word of each is an id.  None is aws's word for nothing.
ask() { # NAMES WORDS...
	local name=$1 line
	shift
	found=()
	assigned="$name=\$("
	call "$@" --output text
	local status=$?
	assigned=''
	if ((status != 0)); then
		is_gone && return 0
		return 1
	fi
	if [[ -n $dry ]]; then
		found=("\$${name%S}")
		return 0
	fi
	while IFS= read -r line; do
		[[ -z $line || $line == None || $line == None$'\t'* ]] || found+=("$line")
	done <<<"$answer"
}

# ---- what is there ------------------------------------------------------------------------------

tagged=(--filters "Name=tag:Project,Values=$project" "Name=tag:ManagedBy,Values=$maker")

add() { # WHAT HOW... - WHAT in words, HOW a function and its arguments
	what+=("$1")
	shift
	how+=("$*")
}

unseen() { left+=("$1: not looked at: $code: $message"); }

look() { # WHAT NAME FUNCTION QUERY WORDS... - adds each that carries our tags
	local noun=$1 name=$2 function=$3 query=$4 line
	shift 4
	ask "$name" "$@" --region "$region" "${tagged[@]}" --query "$query" || { unseen "$noun"; return 0; }
	for line in "${found[@]}"; do
		add "$noun ${line//$'\t'/ }" "$function" "${line%%$'\t'*}"
	done
}

look_at_machines() {
	local line ids=()
	ask INSTANCE_IDS ec2 describe-instances --region "$region" "${tagged[@]}" \
		"Name=instance-state-name,Values=pending,running,shutting-down,stopping,stopped" \
		--query "Reservations[].Instances[].[InstanceId,Tags[?Key=='Name']|[0].Value]" || { unseen machines; return 0; }
	for line in "${found[@]}"; do ids+=("${line%%$'\t'*}"); done
	((${#found[@]} == 0)) || add "machines$(printf ' %s' "${found[@]//$'\t'/ }")" delete_machines "${ids[@]}"
}

# Its filter is called --filter.
look_at_flow_logs() {
	local line
	ask FLOW_LOG_IDS ec2 describe-flow-logs --region "$region" --filter "${tagged[@]:1}" \
		--query "FlowLogs[].[FlowLogId]" || { unseen "flow log"; return 0; }
	for line in "${found[@]}"; do add "flow log $line" delete_flow_log "$line"; done
}

# Who makes them is deleted; what was made is kept for who wants it back.
look_at_snapshots() {
	local line
	ask SNAPSHOT_POLICY_IDS dlm get-lifecycle-policies --region "$region" --target-tags "Snapshots=$project" \
		--query "Policies[?Tags.Project=='$project'&&Tags.ManagedBy=='$maker'].[PolicyId]" ||
		{ unseen "who makes snapshots"; return 0; }
	for line in "${found[@]}"; do add "snapshots' policy $line" delete_snapshot_policy "$line"; done
	ask SNAPSHOT_IDS ec2 describe-snapshots --region "$region" --owner-ids self "${tagged[@]}" \
		--query "Snapshots[].[SnapshotId,StartTime]" || { unseen snapshots; return 0; }
	if [[ -z $snapshots ]]; then
		for line in "${found[@]}"; do
			line=${line/$'\t'/ of }
			kept+=("snapshot ${line%%T*}: --snapshots deletes it")
		done
		[[ -z $dry ]] || say "# SNAPSHOT_IDS stay: --snapshots deletes them"
		return 0
	fi
	for line in "${found[@]}"; do add "snapshot ${line//$'\t'/ of }" delete_snapshot "${line%%$'\t'*}"; done
}

look_at_log_group() {
	local name=/$project/flow
	is_ours "log group $name" '' tags{} logs list-tags-for-resource --region "$region" \
		--resource-arn "arn:aws:logs:$region:$account:log-group:$name" || return 0
	add "log group $name" delete_log_group "$name"
}

# 0: it carries our three tags.  Another region's is left to a run for that region.
is_ours() { # WHAT PATH TAGS WORDS... - PATH.TAGS: where its tags are in aws's answer, a list, or with {} an object
	local noun=$1 path=$2 tags=$3 query='' key of maker_of region_of
	shift 3
	for key in Project ManagedBy Region; do
		if [[ $tags == *{} ]]; then query+=",${tags%{\}}.$key"; else query+=",${tags}[?Key=='$key']|[0].Value"; fi
	done
	ask TAGS "$@" --query "${path}[${query#,}]" || { unseen "$noun"; return 1; }
	if [[ -n $dry ]]; then
		say "# $noun is deleted only when its TAGS are: $project $maker $region"
		return 0
	fi
	if ((${#found[@]} == 0)); then
		if [[ $code == NoSuchTagSet ]] || ! is_gone; then kept+=("$noun carries no tags of ours"); fi
		return 1
	fi
	IFS=$'\t' read -r of maker_of region_of <<<"${found[0]}"
	if [[ $of != "$project" || $maker_of != "$maker" ]]; then
		kept+=("$noun does not carry our tags")
	elif [[ $region_of != "$region" ]]; then
		left+=("$noun belongs to the region $region_of: run destroy.sh --project $project --region $region_of")
	else
		return 0
	fi
	return 1
}

look_at_roles() {
	local name
	for name in "${profiles[@]}"; do
		is_ours "instance profile $name" InstanceProfile. Tags iam get-instance-profile --instance-profile-name "$name" &&
			add "instance profile $name" delete_profile "$name"
	done
	for name in "${roles[@]}"; do
		is_ours "role $name" Role. Tags iam get-role --role-name "$name" && add "role $name" delete_role "$name"
	done
	for name in "${policies[@]}"; do
		is_ours "policy $name" Policy. Tags iam get-policy --policy-arn "arn:aws:iam::$account:policy/$name" &&
			add "policy $name" delete_policy "arn:aws:iam::$account:policy/$name"
	done
	is_ours "GitHub's OIDC provider" '' Tags iam get-open-id-connect-provider \
		--open-id-connect-provider-arn "arn:aws:iam::$account:$oidc" || return 0
	# An account has one of it: others may have come to use ours.
	ask OTHER_ROLES iam list-roles \
		--query "Roles[?contains(to_string(AssumeRolePolicyDocument),'$oidc')&&RoleName!='$project-deploy'].[RoleName]" ||
		{ unseen "who uses GitHub's OIDC provider"; return 0; }
	[[ -z $dry ]] || say "# GitHub's OIDC provider is deleted only when there are no OTHER_ROLES"
	if [[ -z $dry ]] && ((${#found[@]} > 0)); then
		kept+=("GitHub's OIDC provider: other roles use it: ${found[*]}")
		return 0
	fi
	add "GitHub's OIDC provider" delete_oidc "arn:aws:iam::$account:$oidc"
}

# How many there are: aws answers with a number for each page.
count() { # NAME WHAT WORDS...
	local name=$1 noun=$2 line total=0
	shift 2
	counted=$noun
	ask "$name" "$@" || return 0
	[[ -z $dry ]] || return 0
	for line in "${found[@]}"; do [[ ! $line =~ ^[0-9]+$ ]] || total=$((total + line)); done
	counted="$total $noun"
}

look_at_registry() {
	local arn=arn:aws:ecr:$region:$account:repository/$project
	is_ours "registry $project" '' tags ecr list-tags-for-resource --region "$region" --resource-arn "$arn" || return 0
	count IMAGES images ecr list-images --region "$region" --repository-name "$project" --query "length(imageIds)"
	add "registry $project with $counted" delete_registry "$project"
}

look_at_audit_log() {
	local bucket=$project-audit-$account-$region
	is_ours "audit log $bucket" '' TagSet s3api get-bucket-tagging --region "$region" --bucket "$bucket" || return 0
	count ENTRIES entries s3api list-object-versions --region "$region" --bucket "$bucket" \
		--query "length([Versions,DeleteMarkers][])"
	add "audit log $bucket with $counted" delete_audit_log "$bucket"
}

look_at_all() { # in the order in which AWS gives them back
	look_at_machines
	look_at_flow_logs
	look_at_snapshots
	look address ADDRESS_IDS delete_address "Addresses[].[AllocationId,PublicIp]" ec2 describe-addresses
	look disk VOLUME_IDS delete_volume "Volumes[].[VolumeId]" ec2 describe-volumes
	look "security group" GROUP_IDS delete_group "SecurityGroups[?GroupName!='default'].[GroupId,GroupName]" \
		ec2 describe-security-groups
	look subnet SUBNET_IDS delete_subnet "Subnets[].[SubnetId,CidrBlock]" ec2 describe-subnets
	look "route table" TABLE_IDS delete_table "RouteTables[].[RouteTableId]" ec2 describe-route-tables
	look gateway GATEWAY_IDS delete_gateway "InternetGateways[].[InternetGatewayId]" ec2 describe-internet-gateways
	look VPC VPC_IDS delete_vpc "Vpcs[].[VpcId,CidrBlock]" ec2 describe-vpcs
	look "key pair" KEY_IDS delete_key "KeyPairs[].[KeyPairId,KeyName]" ec2 describe-key-pairs
	look_at_roles
	look_at_log_group
	look_at_registry
	look_at_audit_log
}

# ---- what deletes it: 0, or $reason -------------------------------------------------------------

# One by one: of several AWS ends none when one of them is gone already.  Ended they are at the same time.
delete_machines() {
	local id refused=''
	# Production's is protected against a click, not against us: whether it may end, terminate-instances says.
	for id in "$@"; do
		change ec2 modify-instance-attribute --region "$region" --instance-id "$id" --no-disable-api-termination || true
	done
	for id in "$@"; do
		change ec2 terminate-instances --region "$region" --instance-ids "$id" || refused=$reason
	done
	[[ -z $refused ]] || { reason=$refused; return 1; }
	for id in "$@"; do
		change ec2 wait instance-terminated --region "$region" --instance-ids "$id" || return 1
	done
}

delete_address() { change ec2 release-address --region "$region" --allocation-id "$1"; }
delete_volume() { change ec2 delete-volume --region "$region" --volume-id "$1"; }
delete_group() { change ec2 delete-security-group --region "$region" --group-id "$1"; }
delete_subnet() { change ec2 delete-subnet --region "$region" --subnet-id "$1"; }
delete_table() { change ec2 delete-route-table --region "$region" --route-table-id "$1"; }
delete_vpc() { change ec2 delete-vpc --region "$region" --vpc-id "$1"; }
delete_key() { change ec2 delete-key-pair --region "$region" --key-pair-id "$1"; }
delete_oidc() { change iam delete-open-id-connect-provider --open-id-connect-provider-arn "$1"; }
delete_snapshot_policy() { change dlm delete-lifecycle-policy --region "$region" --policy-id "$1"; }
delete_snapshot() { change ec2 delete-snapshot --region "$region" --snapshot-id "$1"; }
delete_log_group() { change logs delete-log-group --region "$region" --log-group-name "$1"; }
delete_registry() { change ecr delete-repository --region "$region" --repository-name "$1" --force; }

needs() { # WORDS... - asks for what has to go before; when that fails $reason is set
	ask "$@" && return 0
	reason="$code: $message"
	return 1
}

# AWS says 200 to what it does not delete.
delete_flow_log() {
	needs REFUSALS ec2 delete-flow-logs --region "$region" --flow-log-ids "$1" \
		--query "Unsuccessful[].[Error.Code,Error.Message]" || return 1
	[[ -z $dry ]] || return 0
	((${#found[@]} > 0)) && [[ ${found[0]} != *NotFound* ]] || return 0
	reason=${found[0]//$'\t'/: }
	return 1
}

delete_gateway() {
	local vpc
	needs ATTACHED_VPC_IDS ec2 describe-internet-gateways --region "$region" --internet-gateway-ids "$1" \
		--query "InternetGateways[].Attachments[].[VpcId]" || return 1
	for vpc in "${found[@]}"; do
		change ec2 detach-internet-gateway --region "$region" --internet-gateway-id "$1" --vpc-id "$vpc" || return 1
	done
	change ec2 delete-internet-gateway --region "$region" --internet-gateway-id "$1"
}

delete_profile() {
	change iam remove-role-from-instance-profile --instance-profile-name "$1" --role-name "$1" &&
		change iam delete-instance-profile --instance-profile-name "$1"
}

delete_role() {
	local item
	needs ATTACHED_POLICY_IDS iam list-attached-role-policies --role-name "$1" --query "AttachedPolicies[].[PolicyArn]" ||
		return 1
	for item in "${found[@]}"; do
		change iam detach-role-policy --role-name "$1" --policy-arn "$item" || return 1
	done
	needs INLINE_POLICY_IDS iam list-role-policies --role-name "$1" --query "PolicyNames[].[@]" || return 1
	for item in "${found[@]}"; do
		change iam delete-role-policy --role-name "$1" --policy-name "$item" || return 1
	done
	change iam delete-role --role-name "$1"
}

delete_policy() {
	local item
	# Not ?!IsDefaultVersion: pasted from the dry run, an interactive shell would put an old command there.
	needs OLD_VERSION_IDS iam list-policy-versions --policy-arn "$1" \
		--query "Versions[?to_string(IsDefaultVersion)=='false'].[VersionId]" || return 1
	for item in "${found[@]}"; do
		change iam delete-policy-version --policy-arn "$1" --version-id "$item" || return 1
	done
	change iam delete-policy --policy-arn "$1" && return 0
	[[ $code != DeleteConflict ]] || reason+=" (who has it: aws iam list-entities-for-policy --policy-arn $1)"
	return 1
}

# A thousand versions at a time, as many as AWS takes; those that it keeps are passed over.
delete_audit_log() {
	local bucket=$1 skip=0 list=$scratch/versions.json status extra=()
	[[ -z $bypass ]] || extra=(--bypass-governance-retention)
	while :; do
		[[ -z $dry ]] || redirected=" >$list"
		call s3api list-object-versions --region "$region" --bucket "$bucket" --output json \
			--query "{Objects:[Versions,DeleteMarkers][]|[$skip:$((skip + 1000))].{Key:Key,VersionId:VersionId}}"
		status=$? redirected=''
		if ((status != 0)); then
			is_gone && return 0
			reason="$code: $message"
			return 1
		fi
		if [[ -z $dry ]]; then
			printf '%s\n' "$answer" >"$list"
			grep -q '"Key"' "$list" || break
		fi
		needs REFUSED_VERSIONS s3api delete-objects --region "$region" --bucket "$bucket" --delete "file://$list" \
			"${extra[@]}" --query "Errors[].[VersionId,Code]" || return 1
		[[ -z $dry ]] || { say "# both as long as there are versions that are not refused"; break; }
		skip=$((skip + ${#found[@]}))
	done
	if ((skip > 0)); then
		why_kept "$bucket" "$skip"
		return 1
	fi
	change s3api delete-bucket --region "$region" --bucket "$bucket"
}

why_kept() { # BUCKET HOW-MANY - the newest entry is the last that Object Lock gives back
	local newest key version
	reason="AWS keeps $2 entries: your rights do not suffice to delete them (s3:DeleteObjectVersion)"
	ask ENTRIES s3api list-object-versions --region "$region" --bucket "$1" \
		--query "Versions[].[LastModified,VersionId,Key]" || return 0
	newest=$(printf '%s\n' "${found[@]}" | sort | tail -n 1)
	IFS=$'\t' read -r _ version key <<<"$newest"
	ask RETENTIONS s3api get-object-retention --region "$region" --bucket "$1" --key "$key" --version-id "$version" \
		--query "[Retention.[Mode,RetainUntilDate]]" || return 0
	((${#found[@]} > 0)) || return 0
	reason="Object Lock (${found[0]%%$'\t'*}) keeps $2 entries, the last until ${found[0]##*$'\t'}: run destroy.sh again then"
	[[ ${found[0]} != GOVERNANCE* || -n $bypass ]] || reason+=", or with --bypass-governance"
}

# ---- in order -----------------------------------------------------------------------------------

# What others still hold is tried again when they are gone, as long as a round brings something forward.
delete_all() {
	local i words moved rest
	todo=("${!how[@]}")
	while ((${#todo[@]} > 0)); do
		moved='' rest=()
		for i in "${todo[@]}"; do
			reason=''
			read -ra words <<<"${how[i]}"
			[[ -z $dry ]] || say "# ${what[i]}"
			if "${words[@]}"; then
				moved=1
				why[i]="deleted"
				[[ -n $dry ]] || say "deleted: ${what[i]}"
			else
				rest+=("$i")
				why[i]=$reason
				say "not yet: ${what[i]}: $reason"
			fi
		done
		todo=("${rest[@]}")
		[[ -n $moved ]] || break
	done
}

main() {
	local arn='' word='' i
	todo=()
	if [[ -n $dry ]]; then
		say "# Dry run: these are the commands.  None is run, AWS is not even asked: \$NAME is what would be known by then,"
		say "# of answers with several words the first of each line."
		ask ACCOUNTS sts get-caller-identity --region "$region" --query "[Account,Arn]"
		account=${found[0]}
	else
		command -v aws >/dev/null || stop "aws is not there: install it (Debian: apt-get install awscli) and run it again"
		say "Asking AWS what there is of $project in $region: half a minute."
		call sts get-caller-identity --region "$region" --query "[Account,Arn]" --output text ||
			stop "AWS does not say who you are ($code: $message): look at aws configure list and run it again"
		IFS=$'\t' read -r account arn <<<"$answer"
		[[ $account =~ ^[0-9]{12}$ ]] || stop "AWS names no account: '$answer'"
	fi

	[[ -z $dry ]] || say "# ---- what is there"
	look_at_all

	if [[ -z $dry ]]; then
		say "Account $account, region $region, project $project, as $arn"
		((${#kept[@]} == 0)) || printf 'stays: %s\n' "${kept[@]}"
		if ((${#how[@]} == 0)); then
			((${#left[@]} == 0)) || { list_left; finish; }
			say "Nothing${kept[*]:+ else} of $project is in $region:" \
				"all is deleted, or --project or --region is another."
			exit 0
		fi
		say "These are deleted, for good:"
		printf '  %s\n' "${what[@]}"
		((${#left[@]} == 0)) || { say "These are not:"; printf '  %s\n' "${left[@]}"; }
		if [[ -z $force ]]; then
			printf 'Type DESTROY to delete them: '
			IFS= read -r word || say ""
			[[ $word == DESTROY ]] || stop "not confirmed: DESTROY was not typed"
		fi
	else
		say "# ---- what deletes it, in this order"
	fi

	phase=deleting
	for i in "${!how[@]}"; do todo+=("$i"); done
	delete_all
	if [[ -n $dry ]]; then
		say "# Dry run: nothing was run."
		exit 0
	fi
	list_left
	finish
}

finish() {
	local count=$((${#left[@]} + ${#todo[@]}))
	if ((count > 0)); then
		printf 'destroy.sh: %d left, see above; fix what is reported there and run it again: it continues there\n' \
			"$count" >&2
		exit 1
	fi
	# Said above too, before many lines.
	((${#kept[@]} == 0)) || printf 'stays: %s\n' "${kept[@]}"
	say "All${kept[*]:+ else} of $project in $region is deleted.  terraform's state, if there is one, is of no more use:" \
		"rm terraform.tfstate*"
	exit 0
}

((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)) || stop "bash 4.4 or later is needed (on macOS: brew install bash)"
# aws itself tries again, and waits longer each time, when AWS says that it is asked too often.
export AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=10 AWS_PAGER=''
scratch=.
if [[ -z $dry ]]; then
	scratch=$(mktemp -d) || stop "no folder for what AWS says: is $(dirname "${TMPDIR:-/tmp}/x") full?"
	trap 'rm -rf -- "$scratch"' EXIT
	trap interrupted INT TERM
fi
main
