"""Recovery points that are open for file recovery: at most one a VM, for twelve hours."""

from datetime import datetime, timedelta

import msgspec

from reconciler.emulator.world import World

LASTS = timedelta(hours=12)
_COLLECTION = "item-level-recovery"


class Session(msgspec.Struct, frozen=True):
    """An open point. ``operation`` is the one that hands out the scripts; ``password`` is a secret."""

    point: str
    operation: str
    password: str
    expires: datetime


def read_session(world: World, item_id: str) -> Session | None:
    """The point that is open now; None if there is none, or its time is over."""
    kept = world.store.document(_COLLECTION, item_id.lower())
    session = msgspec.convert(kept, Session) if kept else None
    return session if session and world.clock.now() < session.expires else None


def open_session(world: World, item_id: str, session: Session) -> None:
    close_session(world, item_id)
    world.store.put_document(_COLLECTION, item_id.lower(), msgspec.to_builtins(session))


def close_session(world: World, item_id: str) -> None:
    """Forgets the password, here and in the answer of the operation that handed it out."""
    kept = world.store.document(_COLLECTION, item_id.lower())
    if kept:
        world.operations.note(kept["operation"], recoveryTarget=None)
        world.store.delete_document(_COLLECTION, item_id.lower())
