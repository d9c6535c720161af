#!/bin/sh
# The main job on the emulator, told with real commands: each is shown before its output, and its exit code is checked.
set -eu
cd "$(dirname "$0")/.."

export RECONCILER_CLOUD=emulator
export RECONCILER_EMULATOR_HOME="$PWD/.reconciler/demo"
export RECONCILER_JOURNAL="$PWD/.reconciler/journals"
unset RECONCILER_POLICIES
# a pipeline that this may run in: its pull request is not the demo's
unset RECONCILER_BASE RECONCILER_COMMENT RECONCILER_NOTIFY RECONCILER_LOCK GITHUB_BASE_REF SYSTEM_PULLREQUEST_TARGETBRANCH \
  SYSTEM_PULLREQUEST_TARGETBRANCHNAME CI_MERGE_REQUEST_DIFF_BASE_SHA CI_MERGE_REQUEST_TARGET_BRANCH_NAME
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); else bold='' plain=''; fi

chapter() { printf '\n%s=== %s%s\n' "$bold" "$1" "$plain"; }
say() { printf '\n%s\n' "$1"; }
# run CODE COMMAND …: shows the command, runs it, and stops the story where it exits otherwise than with CODE.
run() {
  expected=$1; shift
  printf '\n%s$' "$bold"
  for word in "$@"; do case $word in *[\ \;\{\*?]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac; done
  printf '%s\n' "$plain"
  code=0
  "$@" || code=$?
  if [ "$code" -ne "$expected" ]; then
    printf '\nThe demo expected exit code %s and got %s: please report this.\n' "$expected" "$code" >&2
    exit 1
  fi
  [ "$expected" -eq 0 ] || printf '%s(exit code %s)%s\n' "$bold" "$code" "$plain"
}
# quietly COMMAND …: somebody else's doing; only what it is gets shown.
portal() { reconciler emulator arm "$@" >/dev/null 2>&1; }

trap 'reconciler emulator stop >/dev/null 2>&1 || true' EXIT
trap 'exit 130' INT TERM
reconciler emulator stop >/dev/null 2>&1 || true
rm -rf "$RECONCILER_EMULATOR_HOME" "$RECONCILER_JOURNAL"
mkdir -p .reconciler

chapter "A local Azure: 40 VMs, 2 subscriptions, 3 regions, as a platform team finds them on a Monday"
# always the same Monday: snapshots are due by the time of day
{ echo "clock: 2026-11-23T08:00:00Z"; cat reconciler/emulator/estates/sample.yaml; } > .reconciler/monday.yaml
run 0 reconciler emulator start --estate .reconciler/monday.yaml --speed 40 --wait

chapter "1. Are the policies in policies/ valid? (no network)"
run 0 reconciler validate policies

chapter "2. What would change, and why?"
run 2 reconciler plan --detailed-exitcode --out .reconciler/plan.json

chapter "3. Change it: exactly the plan that was reviewed"
run 0 reconciler apply .reconciler/plan.json

chapter "4. Plan again: nothing to do"
run 0 reconciler plan --detailed-exitcode

chapter "5. A day later, somebody changes things behind our back, in the portal's way"
run 0 reconciler emulator advance 1d
sub=/subscriptions/6d1f0a52-4c1e-4a6b-9f3d-2b7c5e8a0101
vault=$sub/resourceGroups/rg-backup-prod/providers/Microsoft.RecoveryServices/vaults/rsv-prod-weu
item() { # item GROUP VM
  echo "$vault/backupFabrics/Azure/protectionContainers/iaasvmcontainer;iaasvmcontainerv2;$1;$2/protectedItems/vm;iaasvmcontainerv2;$1;$2?api-version=2026-10-01"
}
source_of() { echo "$sub/resourceGroups/$1/providers/Microsoft.Compute/virtualMachines/$2"; }
say "  web-01 is moved to DefaultPolicy        PUT …/protectedItems/vm;…;web-01"
portal PUT "$(item rg-web-prod web-01)" --body "{\"properties\":{\"protectedItemType\":\"Microsoft.Compute/virtualMachines\",\"sourceResourceId\":\"$(source_of rg-web-prod web-01)\",\"policyId\":\"$vault/backupPolicies/DefaultPolicy\"}}"
say "  the protection of dc-01 is stopped      PUT …/protectedItems/vm;…;dc-01"
portal PUT "$(item rg-identity dc-01)" --body "{\"properties\":{\"protectedItemType\":\"Microsoft.Compute/virtualMachines\",\"sourceResourceId\":\"$(source_of rg-identity dc-01)\",\"policyId\":\"\",\"protectionState\":\"ProtectionStopped\"}}"
say "  daily-30d keeps 14 days instead of 30   PUT …/backupPolicies/daily-30d"
portal PUT "$vault/backupPolicies/daily-30d?api-version=2026-10-01" --body @demo/shorter-retention.json
reconciler emulator advance 5m >/dev/null

chapter "6. The nightly run tells what drifted"
run 2 reconciler drift

chapter "7. Heal it"
run 0 reconciler apply --auto-approve

chapter "8. In step again"
run 0 reconciler drift

chapter "9. And what if somebody shortens a retention in git? The plan counts what would be lost, and a guard refuses"
rm -rf .reconciler/policies && cp -r policies .reconciler/policies
sed 's/daily: {days: 30}/daily: {days: 14}/' policies/backup-policies.yaml > .reconciler/policies/backup-policies.yaml
run 3 reconciler plan --policies .reconciler/policies --target 'backup_policy.*'

chapter "10. Snapshots: an apply takes those of its slot. Three more slots, with an apply in each"
for _ in 1 2 3; do
  reconciler emulator advance 6h >/dev/null
  reconciler apply --auto-approve >.reconciler/apply.log 2>&1 || { cat .reconciler/apply.log; exit 1; }
done
run 0 reconciler snapshots list web-01

chapter "11. Six hours later: snapshots are due, and some have been kept long enough. That is no drift"
run 0 reconciler emulator advance 6h
run 0 reconciler drift
run 2 reconciler plan --detailed-exitcode --out .reconciler/snapshots.json
run 0 reconciler apply .reconciler/snapshots.json

chapter "12. An upgrade went wrong: a disk to look at, and the whole VM beside the broken one"
name='s|.*"name": ".*/\(web-01[^/"]*-20261125T0000Z-[0-9a-f]*\)".*|\1|p'
snapshot=$(reconciler snapshots list web-01 --format json | sed -n "$name")
run 0 reconciler restore disk "$snapshot" --name web-01-look --auto-approve
run 0 reconciler restore vm --from-snapshots web-01@2026-11-25T00:00Z --name web-01-back --subnet vnet-prod-weu/restore --auto-approve

. demo/disaster/chapters.sh
. demo/pull-requests/chapters.sh

cat <<TXT

${bold}That was the main job.${plain} The estate is kept in .reconciler/demo; go on with it:

  . .venv/bin/activate
  export RECONCILER_CLOUD=emulator RECONCILER_EMULATOR_HOME="$RECONCILER_EMULATOR_HOME"

  reconciler explain web-03              why does this VM get this policy, file and line
  reconciler emulator start              keep the emulator running between commands
  reconciler snapshots list web-01       what web-01 can be restored from
  reconciler emulator advance 30d        let a month of backups happen
  reconciler emulator fault add --path '*/protectedItems/*' --method PUT --status 429 --retry-after 2 --count 5
  .reconciler/pull-requests/plan.html    the page of chapter 24, for a browser: filters, search, why each VM gets what it gets
  \$EDITOR policies/backup-policies.yaml  shorten a retention, and read what \`reconciler plan\` says of it
TXT
