"""What Site Recovery calls its work: scenarios, their titles, their tasks, and how long they take.

Titles, task ids and most lengths are recorded (site-recovery.md §3, §4); the tasks of drills, disks and the agent are
named after their neighbours.
"""

from __future__ import annotations

import msgspec


class Task(msgspec.Struct, frozen=True):
    """One step of a job. ``share`` is its part of the job's length, relative to the other tasks'."""

    id: str
    name: str
    title: str
    share: float = 1.0
    skipped: bool = False


class Scenario(msgspec.Struct, frozen=True):
    """``seconds`` is the usual length; ``kind`` what its job says that it works on."""

    name: str
    title: str
    kind: str
    seconds: float
    tasks: tuple[Task, ...] = ()


def _plain(name: str, title: str, kind: str, seconds: float) -> Scenario:
    return Scenario(name, title, kind, seconds, (Task(f"{name}Task", f"{name}Task", title),))


CREATE_FABRIC = _plain("CreateSite", "Create a site", "Server", 68)
REMOVE_FABRIC = _plain("RemoveSite", "Delete a site", "Server", 2)
CREATE_CONTAINER = _plain("CreateCloud", "Create protection container", "Cloud", 1)
REMOVE_CONTAINER = _plain("RemoveCloud", "Remove protection container", "Cloud", 1)
CREATE_POLICY = _plain("AddProtectionProfile", "Create replication policy", "ProtectionProfile", 1)
UPDATE_POLICY = _plain("UpdateProtectionProfile", "Update replication policy", "ProtectionProfile", 1)
REMOVE_POLICY = _plain("RemoveProtectionProfile", "Delete replication policy", "ProtectionProfile", 1)
PAIR_CONTAINERS = _plain("AssociateProtectionProfile", "Associate replication policy", "ProtectionProfile", 78)
UPDATE_PAIR = _plain("UpdateProtectionProfileAssociation", "Update policy association", "ProtectionProfile", 2)
UNPAIR_CONTAINERS = _plain("DissociateProtectionProfile", "Dissociate replication policy", "ProtectionProfile", 1)
PAIR_NETWORKS = _plain("NetworkPairing", "Map Networks", "Network", 3)
UNPAIR_NETWORKS = _plain("NetworkUnpairing", "Unmap Networks", "Network", 3)
ENABLE = Scenario(
    "EnableDr",
    "Enable replication",
    "ProtectionEntity",
    425,
    (
        Task("EnableDrPrerequisitesCheck", "EnableDrPrerequisitesCheck", "Prerequisites check for enabling protection"),
        Task("InstallMobilityServiceTask", "InstallMobilityServiceTask", "Installing Mobility Service", 6),
        Task("EnableReplicationTask", "EnableReplicationTask", "Enable replication", 5),
        Task("StartInitialReplicationTask", "StartInitialReplicationTask", "Starting initial replication"),
        Task("UpdateDraState", "UpdateDraState", "Updating the provider states"),
    ),
)
SEEDED = _plain("PrimaryIrCompletion", "Finalize protection on the primary virtual machine", "ProtectionEntity", 2)
UPDATE_ITEM = Scenario(
    "UpdateVmProperties",
    "Update the virtual machine",
    "ProtectionEntity",
    20,
    (Task("UpdateVmPropertiesTask", "UpdateVmPropertiesTask", "Updating the virtual machine properties"),),
)
DISABLE = _plain("DisableDr", "Disable replication", "ProtectionEntity", 75)
PURGE = _plain("PurgeVm", "Remove replication record", "ProtectionEntity", 112)
ADD_DISKS = _plain("AddDisks", "Add disks to replication", "ProtectionEntity", 140)
REMOVE_DISKS = _plain("RemoveDisks", "Remove disks from replication", "ProtectionEntity", 70)
UPDATE_AGENT = _plain("UpdateMobilityService", "Update Mobility Service", "ProtectionEntity", 260)
REPAIR = _plain("RepairReplication", "Resynchronize", "ProtectionEntity", 60)
RESOLVE_HEALTH = _plain("ResolveHealthErrors", "Resolve health errors", "ProtectionEntity", 3)
TEST_FAILOVER = Scenario(
    "TestFailover",
    "Test failover",
    "ProtectionEntity",
    260,
    (
        Task("TestFailoverPreflightChecksTask", "VmTfoPrerequisitesCheck", "Prerequisites check for test failover"),
        Task("PrepareTestEnvironmentTask", "VmTfoPrepareEnvironment", "Create test environment"),
        Task("TestFailoverTask", "VmTestFailover", "Create the test virtual machine", 4),
        Task("StartTestVmOnSecondary", "VmTfoStartVmOnSecondary", "Start the virtual machine", 2),
    ),
)
TEST_CLEANUP = Scenario(
    "TestFailoverCleanup",
    "Test failover cleanup",
    "ProtectionEntity",
    150,
    (Task("TestFailoverCleanupTask", "VmTestFailoverCleanup", "Clean up the test environment"),),
)
FAILOVER = Scenario(
    "UnplannedFailover",
    "Failover",
    "ProtectionEntity",
    140,
    (
        Task("UnplannedFailoverPreflightChecksTask", "VmUfoPrerequisitesCheck", "Prerequisites check for failover"),
        Task("ShutdownVmOnPrimaryForUFO", "VmShutdownVmOnPrimary", "Shut down the virtual machine", 6),
        Task("PrepareForUnPlannedFailoverTask", "VmPrepareFailover", "Synchronizing the latest changes"),
        Task("FailoverTask", "VmFailover", "Start failover", 8),
        Task("StartVmOnSecondary", "VmFoStartVmOnSecondary", "Start the replica virtual machine", 5),
    ),
)
SHUT_DOWN, SYNCHRONISE = "ShutdownVmOnPrimaryForUFO", "PrepareForUnPlannedFailoverTask"
SHUTDOWN_SECONDS = 63
"""What a failover takes longer where it shuts the source down first."""
CHANGE_POINT = _plain("ChangeRecoveryPoint", "Change recovery point", "ProtectionEntity", 130)
COMMIT = _plain("CommitFailover", "Commit", "ProtectionEntity", 8)
SWITCH = Scenario(
    "SwitchReplicationGroupProtection",
    "Reprotect",
    "ProtectionEntity",
    540,
    (
        Task("Preflight", "SwitchProtectionPreflight", "Prerequisite check"),
        Task("CommitFailoverTask", "CommitFailover", "Committing failover"),
        Task("DiscoverReplicaTask", "DiscoverReplica", "Discovering the failed over virtual machine"),
        Task("GetSwitchProtectionRequirementsTask", "GetSwitchRequirements", "Gathering requirements for reprotection"),
        Task("ProtectReplicaTask", "ProtectReplica", "Reprotecting virtual machine (1)", 8),
    ),
)
COMMIT_TASK = "CommitFailoverTask"
SAVE_PLAN = _plain("SaveRecoveryPlan", "Save a recovery plan", "RecoveryPlan", 1)
REMOVE_PLAN = _plain("DeleteRecoveryPlan", "Delete a recovery plan", "RecoveryPlan", 1)

RESTARTABLE = frozenset({ENABLE.name, TEST_CLEANUP.name, SWITCH.name, DISABLE.name})
"""A job of these that failed can be started once more; plausible."""
