# Chapters of main-job.sh, which reads this file: two regions replicated to a third, a drill, a disaster and the way home.
# They have an Azure of their own, whose clock jumps to the end of what is waited for: replicating takes an hour.
reconciler emulator stop >/dev/null 2>&1 || true
main_home=$RECONCILER_EMULATOR_HOME
export RECONCILER_EMULATOR_HOME="$PWD/.reconciler/disaster" RECONCILER_POLICIES=demo/disaster/policies
rm -rf "$RECONCILER_EMULATOR_HOME" .reconciler/answers.txt
prod=/subscriptions/3b9d6c1e-7f20-4c58-8a41-5e0f9a7c0201

chapter "13. Twelve VMs in two regions, and nothing that would survive the loss of one. Replicate them to a third"
run 0 reconciler emulator start --estate demo/disaster/estate.yaml --speed 60
run 2 reconciler plan --detailed-exitcode --out .reconciler/replicate.json
run 0 reconciler apply .reconciler/replicate.json
run 0 reconciler plan --detailed-exitcode

chapter "14. Would it work? A drill: the shop comes up in a network that leads nowhere, is looked at, and taken away"
run 0 reconciler drill shop --confirm shop --check 'echo "$RECONCILER_VM answers at $RECONCILER_TEST_ADDRESS" >> .reconciler/answers.txt'
run 0 cat .reconciler/answers.txt

chapter "15. A drill that is killed leaves test VMs, which cost money; the next run takes them away"
test_vm="$prod/resourceGroups/rg-shop-dr/providers/Microsoft.Compute/virtualMachines/shop-db-01-test"
reconciler emulator fault add --method GET --path "$test_vm" --delay 20 >/dev/null
say "  reconciler drill shop --confirm shop, and kill -9 while its test VMs run"
# an empty log first: one of an earlier demo would end the wait at once
: >.reconciler/drill.log
reconciler drill shop --confirm shop >.reconciler/drill.log 2>&1 & drill=$!
until grep -q "started  check that test VM" .reconciler/drill.log; do
  kill -0 "$drill" 2>/dev/null || { cat .reconciler/drill.log; exit 1; }
  sleep 0.1
done
kill -9 "$drill"
wait "$drill" 2>/dev/null || true
reconciler emulator fault clear >/dev/null
run 0 reconciler status
run 0 reconciler apply --auto-approve

chapter "16. West Europe is lost. The shop fails over in its three groups, and its DNS is switched by a runbook"
run 0 reconciler failover shop --to northeurope --confirm shop

chapter "17. The nightly run, meanwhile: it tells what is open, and changes nothing"
run 0 reconciler drift
run 0 reconciler apply --auto-approve
run 0 reconciler commit shop --confirm shop

chapter "18. West Europe is back: the way home"
run 0 reconciler reprotect shop --confirm shop
run 0 reconciler failback shop --confirm shop
run 0 reconciler commit shop --confirm shop
run 0 reconciler reprotect shop --confirm shop

chapter "19. At home. Azure has forgotten the network for drills on the way: set it, and there is nothing to do"
run 0 reconciler apply --auto-approve
run 0 reconciler plan --detailed-exitcode

chapter "20. A database gets another disk: it is replicated, too, and nothing else is touched"
compute=$prod/resourceGroups/rg-shop/providers/Microsoft.Compute
say "  512 GiB for shop-db-01                  PUT …/disks/shop-db-01-logs, POST …/shop-db-01/attachDetachDataDisks"
portal PUT "$compute/disks/shop-db-01-logs?api-version=2025-01-02" --body '{"location":"westeurope","sku":{"name":"Premium_LRS"},"properties":{"creationData":{"createOption":"Empty"},"diskSizeGB":512}}'
portal POST "$compute/virtualMachines/shop-db-01/attachDetachDataDisks?api-version=2025-04-01" --body "{\"dataDisksToAttach\":[{\"diskId\":\"$compute/disks/shop-db-01-logs\"}]}"
reconciler emulator advance 5m >/dev/null
run 2 reconciler plan --detailed-exitcode --out .reconciler/disk.json
run 0 reconciler apply .reconciler/disk.json
run 0 reconciler plan --detailed-exitcode

reconciler emulator stop >/dev/null 2>&1 || true
export RECONCILER_EMULATOR_HOME="$main_home"
unset RECONCILER_POLICIES
