"""What is sent to map containers and to change how agents are updated, and what is read back."""

from __future__ import annotations

from typing import Any

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.kinds.replication.listing import API_VERSION, MappingBody
from reconciler.kinds.replication.writes import begin, check_kept
from reconciler.model.arm_id import ArmId
from reconciler.plan.change import Step

_IDENTITY = "SystemAssignedIdentity"
"""RunAs accounts are retired, and still Azure's default where nothing is said (recorded: container_mapping)."""


async def map_containers(azure: Azure, step: Step) -> Operation | None:
    """PUT of a new mapping; PATCH of the agent's updates, the only change that a mapping allows."""
    from azure.mgmt.recoveryservicessiterecovery import models

    arm_id, account = ArmId(step.arguments["id"]), step.arguments["account"]
    agent = {
        "agent_auto_update_status": "Enabled" if account else "Disabled",
        "automation_account_arm_id": account or None,
        "automation_account_authentication_type": _IDENTITY if account else None,
    }
    mappings = azure.site_recovery(arm_id.subscription).replication_protection_container_mappings
    segments = (arm_id.segment(name) for name in ("vaults", "replicationFabrics", "replicationProtectionContainers"))
    names = (arm_id.resource_group, *segments, arm_id.name)
    if step.verb == "create":
        made = models.CreateProtectionContainerMappingInputProperties(
            target_protection_container_id=step.arguments["target"],
            policy_id=step.arguments["policy"],
            provider_specific_input=models.A2AContainerMappingInput(**agent),
        )
        body: Any = models.CreateProtectionContainerMappingInput(properties=made)
        return await begin(mappings.begin_create, *names, body=body, resource=arm_id)
    changed = models.UpdateProtectionContainerMappingInputProperties(
        provider_specific_input=models.A2AUpdateContainerMappingInput(**agent)
    )
    body = models.UpdateProtectionContainerMappingInput(properties=changed)
    return await begin(mappings.begin_update, *names, body=body, resource=arm_id)


async def read_back(azure: Azure, step: Step) -> None:
    """The mapping leads where it should, under the policy, and keeps agents up to date as asked."""
    arm_id, sent = ArmId(step.arguments["id"]), step.arguments
    body = await azure.get(str(arm_id), API_VERSION, MappingBody)
    answers = {
        "target": body.properties.target_protection_container_id,
        "policy": body.properties.policy_id,
        "account": body.update_account,
    }
    differing = [
        f"{name}: sent {sent[name] or 'none'}, Azure has {answer or 'none'}"
        for name, answer in answers.items()
        if name in sent and ArmId(answer or "") != ArmId(sent[name])
    ]
    check_kept(arm_id, "container mapping", differing)
