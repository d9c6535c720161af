"""Live replication policies → ReplicationPolicy documents; those that VMs follow, and no others: the portal makes many.

As with backup policies one name has one document, in whichever vault: different ones of one name are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec

from reconciler.kinds.adoption import Adopted, AdoptedEstate, Written, not_adopted
from reconciler.kinds.replication.route import POLICY
from reconciler.kinds.replication_policy.rules import check_policy
from reconciler.kinds.replication_policy.spec import ReplicationPolicySpec, spec_of, spoken_minutes
from reconciler.model.casing import fold
from reconciler.model.document import Document
from reconciler.model.replicated import ReplicationFacts
from reconciler.model.replication import POLICY as DOCUMENT
from reconciler.model.replication import ReplicationPolicy
from reconciler.model.resource import Ref, Resource
from reconciler.model.source import Source
from reconciler.plan.finding import Severity


def adopt_policies(estate: AdoptedEstate) -> Iterator[Adopted]:
    """One document for each name that replicated VMs follow."""
    followed = {
        (fold(facts.vault_id.name), fold(facts.policy_name))
        for one in estate.resources("replicated_vm")
        if isinstance(facts := one.observed, ReplicationFacts)
    }
    named: dict[str, list[Resource]] = defaultdict(list)
    used: set[str] = set()
    for resource in estate.resources(POLICY):
        vault = resource.address.scope.rpartition("/")[2]
        if not estate.has("Vault", vault):
            continue
        named[fold(resource.address.name)].append(resource)
        if (fold(vault), fold(resource.address.name)) in followed:
            used.add(fold(resource.address.name))
    for name in sorted(used):
        yield _written(named[name], estate)


def _written(resources: list[Resource], estate: AdoptedEstate) -> Adopted:
    first = resources[0]
    spec = first.spec
    assert isinstance(spec, ReplicationPolicySpec)
    contents = {msgspec.json.encode(msgspec.structs.replace(one.spec, vault=Ref(""))) for one in resources}
    if len(contents) > 1:
        vaults = ", ".join(one.address.scope.rpartition("/")[2] for one in resources)
        return not_adopted(
            first.address,
            f"replication policy {first.address.name} is not the same in the vaults {vaults}, and one name has one "
            "document: it and its VMs stay unmanaged",
            "make them equal, and adopt again",
        )
    value: dict[str, Any] = {"recoveryPointRetention": spoken_minutes(spec.retention_minutes)}
    if spec.app_consistent_minutes:
        value["appConsistentEvery"] = spoken_minutes(spec.app_consistent_minutes)
    if not spec.multi_vm_sync:
        value["multiVmSync"] = False
    problem = _problem(first.address.name, value, spec, estate)
    if problem:
        message = f"replication policy {first.address.name}: {problem}; it and its VMs stay unmanaged"
        return not_adopted(first.address, message)
    found = ", ".join(one.address.scope.rpartition("/")[2] for one in resources)
    return Written(DOCUMENT, first.address.name, value, f"Found in vault {found}.")


def _problem(name: str, value: dict[str, Any], spec: ReplicationPolicySpec, estate: AdoptedEstate) -> str:
    try:
        policy = msgspec.convert(value, ReplicationPolicy)
    except msgspec.ValidationError as error:
        return f"the language cannot say it ({error})"
    if spec_of(policy, spec.vault) != spec:
        return "the language cannot say it as it is"
    document = Document(DOCUMENT, name, policy, Source("adopt"))
    errors = (one for one in check_policy(document, estate.survey) if one.severity is Severity.ERROR)
    return "; ".join(f"{one.code} {one.message}" for one in errors)
