# Chapters of main-job.sh, which reads this file: policies in git, three people, a night, a Friday.
# They have an Azure of their own, and a repository that is made with dulwich, the library with which reconciler reads
# git: git itself may be missing here.
reconciler emulator stop >/dev/null 2>&1 || true
main_home=$RECONCILER_EMULATOR_HOME main_folder=$PWD
files=$PWD/demo/pull-requests place=$PWD/.reconciler/pull-requests
export RECONCILER_EMULATOR_HOME="$place/azure"
rm -rf "$place"
mkdir -p "$place/infra"

# the git settings of whoever runs this do not count
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
quietly() { "$@" >"$place/said" 2>&1 || { cat "$place/said" >&2; exit 1; }; }
# commit WHO MESSAGE: all there is below policies/
commit() {
  export GIT_AUTHOR_NAME="$1" GIT_AUTHOR_EMAIL="$1@example.com" GIT_COMMITTER_NAME="$1" GIT_COMMITTER_EMAIL="$1@example.com"
  find policies -name '*.yaml' -exec dulwich add {} + >"$place/said" 2>&1
  quietly dulwich commit --message "$2"
}
# edit FILE WORDS OTHERS
edit() {
  sed "s/$2/$3/" "$1" >"$place/edited"
  ! cmp -s "$1" "$place/edited" || { echo "$1 does not say '$2': please report this." >&2; exit 1; }
  mv "$place/edited" "$1"
}

team=/subscriptions/5c8e2b74-1d93-4f06-9a57-3e6d0b8f0301/resourceGroups
vault=$team/rg-backup/providers/Microsoft.RecoveryServices/vaults/rsv-team
db_01="$vault/backupFabrics/Azure/protectionContainers/iaasvmcontainer;iaasvmcontainerv2;rg-shop;db-01/protectedItems/vm;iaasvmcontainerv2;rg-shop;db-01"

chapter "21. Another team has backups, and wrote none of them down. \`adopt\` writes the policies; a plan on them is empty"
run 0 reconciler emulator start --estate demo/pull-requests/estate.yaml --speed 60
cd "$place/infra"
run 0 reconciler adopt --subscription 5c8e2b74-1d93-4f06-9a57-3e6d0b8f0301=prod --out policies
run 0 reconciler plan --detailed-exitcode
run 0 cat policies/protections/web.yaml policies/backup-policies.yaml

chapter "22. The policies go into git, and what the team has long wished for. The apply says on the vault which commit Azure has"
quietly dulwich init
printf 'ref: refs/heads/main\n' >.git/HEAD
cp "$files/snapshots.yaml" policies/
commit bob "What we have, and snapshots of the web servers"
say "  bob commits them, with a schedule of snapshots     git add policies; git commit"
run 0 reconciler apply --auto-approve
reconciler emulator arm GET "$vault?api-version=2026-05-01" >"$place/vault.json" 2>"$place/said"
say "The stamp, among the tags of the vault:"
grep '"reconciler-' "$place/vault.json" || { echo "The vault has no stamp: please report this." >&2; exit 1; }

chapter "23. Three people, one evening"
cp "$files/build.yaml" policies/
commit bob "Build machines are backed up, too"
say "  bob merges: build machines are backed up, too. Nobody applies it yet      git merge"
quietly dulwich checkout -b fewer-days main
edit policies/backup-policies.yaml 'days: 30' 'days: 14'
commit carol "Two weeks are enough for servers"
say "  carol opens a pull request: servers keep 14 days of backups, not 30       git checkout -b fewer-days; git commit"
say "  alice stops the backups of db-01 in the portal                            PUT …/protectedItems/vm;…;db-01"
portal PUT "$db_01?api-version=2026-10-01" --as alice@example.com --body "{\"properties\":{\"protectedItemType\":\"Microsoft.Compute/virtualMachines\",\"sourceResourceId\":\"$team/rg-shop/providers/Microsoft.Compute/virtualMachines/db-01\",\"policyId\":\"\",\"protectionState\":\"ProtectionStopped\"}}"
reconciler emulator advance 5m >/dev/null

chapter "24. The preview of carol's pull request tells what is hers, what is alice's and what is bob's"
run 3 reconciler plan --base main --report markdown=../comment.md --report html=../plan.html --report sarif=../plan.sarif --report junit=../plan.xml
say "The same reading as the comment of the pull request, which \`reconciler publish comment\` makes, or edits:"
run 0 head -n 12 ../comment.md

chapter "25. At night: neither carol's branch nor bob's merge is drift, for neither was applied. What alice did is"
run 2 reconciler drift

chapter "26. Carol's pull request is approved and merged. What git asks for is applied, what alice did is left to be talked about"
quietly dulwich checkout main
quietly dulwich merge fewer-days
run 0 reconciler apply --only mine --allow G104=1 --auto-approve
say "It was a mistake, says alice:"
run 0 reconciler apply --only drift --auto-approve
run 0 reconciler drift

chapter "27. Fridays are frozen from now on: due snapshots are taken, and what was merged waits until Saturday"
printf 'freeze: [{reason: no changes on Fridays, weekly: {weekdays: [Friday]}}]\n' >>policies/scope.yaml
edit policies/backup-policies.yaml 'days: 60' 'days: 90'
commit carol "No changes on Fridays. Databases: three months"
run 0 reconciler emulator advance 4h
run 3 reconciler apply --auto-approve

cd "$main_folder"
reconciler emulator stop >/dev/null 2>&1 || true
export RECONCILER_EMULATOR_HOME="$main_home"
