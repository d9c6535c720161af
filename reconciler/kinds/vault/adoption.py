"""Live vaults → Vault documents: where they are. How they are set is the business of `vault_settings`.

Their tags are left to whoever wrote them: a document that named them all would hold tags of other people and tools.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.adoption import Adopted, AdoptedEstate, Written, left_out, not_adopted
from reconciler.model.arm_id import ArmId
from reconciler.model.counting import count
from reconciler.model.document import Declared
from reconciler.model.vault import Vault, vault_id


def adopt_vaults(estate: AdoptedEstate) -> Iterator[Adopted]:
    """One document for each vault that holds anything of a VM; names are unique in the policies."""
    surveyed = _surveyed(estate.survey)
    for resource in estate.resources("vault"):
        address, arm_id = resource.address, resource.arm_id
        assert arm_id is not None
        held = estate.held_by_vault[arm_id]
        if not held:
            yield left_out(address, "the vault holds no VM; it is not written", "declare it when it is to hold some")
        elif arm_id not in surveyed:
            yield not_adopted(
                address,
                f"another vault is called {address.name}, too, and a Vault document is called like its vault; "
                f"this one and what it protects ({count(held, 'VM')}) stay unmanaged",
                "adopt its subscription into policies of their own",
            )
        else:
            alias, _, group = address.scope.partition("/")
            value = {"subscription": alias, "resourceGroup": group, "location": resource.location}
            yield Written("Vault", address.name, value, f"Holds {count(held, 'VM')}.")


def _surveyed(survey: Declared) -> frozenset[ArmId]:
    """The vaults that were read: of several of one name only the first."""
    found = (vault_id(document, survey) for document in survey.of("Vault", Vault).values())
    return frozenset(arm_id for arm_id in found if arm_id is not None)
